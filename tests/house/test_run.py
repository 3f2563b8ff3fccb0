"""The one command that sets everything up, in places of its own where Python, pip and uv only say what they do."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("run.py", "requirements.lock", "requirements-dev.lock")
# What stands behind sys.executable is said from outside, so that no Python of this machine is found.
START = "import runpy, sys; sys.executable = sys.argv.pop(1); runpy.run_path(sys.argv.pop(1), run_name='__main__')"
COMMAND = '#!/bin/bash\nprintf "<%s>" "$@"; echo; pwd; exit 7\n'
PYTHON = f"""#!/bin/bash
echo "$*" >> "$LOG"
PATH=/usr/bin:/bin
case "$*" in
    "-c import pip") exit "${{NO_PIP:-0}}" ;;
    "-c "*) exit "${{TOO_OLD:-0}}" ;;
    "-m venv "*) mkdir -p "${{@: -1}}/bin" && printf '%s' '{COMMAND}' > "${{@: -1}}/bin/python"
                 chmod +x "${{@: -1}}/bin/python" ;;
    "-m pip "*) [ ! -p "$GATE" ] || read -r < "$GATE"; echo "pip did what it could"; exit "${{PIP_FAILS:-0}}" ;;
esac
"""
UV = '#!/bin/bash\necho "uv $*" >> "$LOG"; exit "${UV_FAILS:-0}"\n'


class Place:
    """A copy of what a clone holds for setting up, and a PATH on which there is nothing but stand-ins."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "a clone"
        self.path = directory / "path"
        self.log = directory / "log"
        self.gate = directory / "gate"
        self.venv = self.root / ".venv"
        for made in (self.root, self.path):
            made.mkdir()
        for name in FILES:
            shutil.copy(ROOT / name, self.root)
        self.put("python3", PYTHON)

    def put(self, name: str, script: str) -> Path:
        made = self.path / name
        made.write_text(script)
        made.chmod(0o755)
        return made

    def begin(self, *arguments: str, python: str | None = None, **said: str) -> subprocess.Popen[str]:
        executable = str(self.path / "python3") if python is None else python
        return subprocess.Popen(
            [sys.executable, "-c", START, executable, str(self.root / "run.py"), *arguments],
            cwd=self.path,
            env={"PATH": str(self.path), "LOG": str(self.log), "GATE": str(self.gate), **said},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, python: str | None = None, **said: str) -> tuple[int, str, str]:
        """The exit code, and what was said on standard output and standard error."""
        begun = self.begin(*arguments, python=python, **said)
        out, err = begun.communicate(timeout=60)
        return begun.returncode, out, err

    def steps(self) -> list[str]:
        """What was asked of the stand-ins, without the looks at what they are."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split(" -r ")[0].split(str(self.root))[0] for line in lines if not line.startswith("-c ")]

    def is_installed(self) -> bool:
        return (self.venv / "installed").exists()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def ready(place: Place) -> Place:
    """A place that was set up for the tests before."""
    assert place.run("test")[0] == 7
    place.log.unlink()
    return place


def module(place: Place) -> ModuleType:
    """run.py of that place, imported."""
    spec = importlib.util.spec_from_file_location("run_of_a_place", place.root / "run.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_what_is_ready_becomes_the_command_at_once_with_its_arguments_and_exit_code(ready: Place) -> None:
    code, out, err = ready.run("serve", "--port", "0", "two words", "")
    assert (code, err) == (7, "")
    assert out == f"<-P><-m><bursar><serve><--port><0><two words><>\n{ready.path}\n"
    assert ready.steps() == []


def test_tests_run_in_the_clone_with_the_options_of_pytest(ready: Place) -> None:
    assert ready.run("test", "-k", "ledger and not slow") == (
        7, f"<-m><pytest><-k><ledger and not slow>\n{ready.root}\n", "",
    )  # fmt: skip
    # Only the first word says so.
    assert ready.run("serve", "test")[1].startswith("<-P><-m><bursar><serve><test>\n")


def test_tests_keep_the_code_that_they_compile_and_a_command_does_as_it_is_told(ready: Place) -> None:
    (ready.venv / "bin" / "python").write_text('#!/bin/bash\necho "${PYTHONDONTWRITEBYTECODE-kept}"\n')
    assert ready.run("test", PYTHONDONTWRITEBYTECODE="1")[1] == "kept\n"
    assert ready.run("serve", PYTHONDONTWRITEBYTECODE="1")[1] == "1\n"


def test_a_fresh_clone_is_set_up_once_and_says_so(place: Place) -> None:
    code, out, err = place.run("version")
    assert (code, out.splitlines()[0]) == (7, "<-P><-m><bursar><version>")
    assert err.startswith("Setting up .venv, once")
    assert [step.split()[1] for step in place.steps()] == ["venv", "pip"]
    assert place.run("version") == (code, out, "")
    assert len(place.steps()) == 2


def test_what_serves_is_not_enough_for_the_tests_and_what_tests_serves(place: Place) -> None:
    place.run("version")
    assert "Setting up" in place.run("test")[2]
    # The environment is whole, so it is only added to.
    assert [step.split()[1] for step in place.steps()] == ["venv", "pip", "pip"]
    assert place.run("version")[2] == ""


@pytest.mark.parametrize("what", ["the lock file", "the clone", "the stamp", "the Python"])
def test_what_changed_since_is_set_up_again(ready: Place, tmp_path: Path, what: str) -> None:
    if what == "the lock file":
        with (ready.root / "requirements.lock").open("a") as lock:
            lock.write("# another\n")
    elif what == "the clone":
        ready.root = ready.root.rename(tmp_path / "elsewhere")
        ready.venv = ready.root / ".venv"
    elif what == "the stamp":
        (ready.venv / "installed").write_text("half of it")
    else:
        (ready.venv / "bin" / "python").unlink()
    code, _, err = ready.run("version")
    assert (code, err[:10]) == (7, "Setting up")
    assert ready.run("version")[2] == ""


def test_without_a_python_that_is_new_enough_it_says_so(place: Place) -> None:
    code, out, err = place.run("version", TOO_OLD="1")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == module(place).NO_PYTHON
    (place.path / "python3").unlink()
    assert place.run("version", python="")[2].splitlines()[-1] == module(place).NO_PYTHON
    assert not place.venv.exists()


def test_without_pip_and_uv_it_says_what_to_install(place: Place) -> None:
    code, out, err = place.run("version", NO_PIP="1")
    assert (code, out) == (1, "")
    assert err.rstrip().endswith(module(place).NO_PIP.format(python=place.path / "python3"))
    assert not place.is_installed()


def test_a_python_with_pip_goes_before_one_without(place: Place) -> None:
    bare = place.put("bare", PYTHON.replace("${NO_PIP:-0}", "1"))
    assert place.run("version", python=str(bare))[0] == 7
    assert [step.split()[1] for step in place.steps()] == ["venv", "pip"]


def test_uv_goes_before_pip_and_pip_does_what_uv_could_not(place: Place) -> None:
    place.put("uv", UV)
    assert place.run("version", NO_PIP="1")[0] == 7
    assert [step.split()[:2] for step in place.steps()] == [["-m", "venv"], ["uv", "pip"]]
    place.log.unlink()
    assert place.run("test", UV_FAILS="1")[0] == 7
    assert [step.split()[:2] for step in place.steps()] == [["uv", "pip"], ["-m", "pip"]]


def test_what_fails_is_shown_leaves_no_stamp_and_starts_again(place: Place) -> None:
    code, _, err = place.run("version", PIP_FAILS="3")
    assert code == 1
    assert "pip did what it could" in err
    assert f"Setting up .venv failed at: {place.path / 'python3'} -m pip" in err
    assert not place.is_installed()
    (place.venv / "half a package").touch()
    assert place.run("version")[0] == 7
    assert not (place.venv / "half a package").exists()


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(place: Place) -> None:
    place.venv.touch()
    code, _, err = place.run("version")
    assert code == 1
    assert err.splitlines()[-1].startswith(f"Bursar could not set up {place.venv}: ")


def test_of_two_at_once_one_sets_up_and_the_other_waits(place: Place) -> None:
    os.mkfifo(place.gate)
    first = place.begin("version")
    with place.gate.open("w") as gate:  # Opens once pip has.
        second = place.begin("version")
        until_waiting(second, place.root / ".venv.lock")
        gate.write("go on\n")
    said = [each.communicate(timeout=60) for each in (first, second)]
    assert [each.returncode for each in (first, second)] == [7, 7]
    assert [step.split()[1] for step in place.steps()] == ["venv", "pip"]
    assert ["Setting up" in err for _, err in said] == [True, False]


def until_waiting(process: subprocess.Popen[str], lock: Path) -> None:
    """Until it waits for the lock that somebody else has."""
    inode = str(lock.stat().st_ino)
    while not any("->" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines()):
        assert process.poll() is None


def test_an_interrupt_ends_it_as_interrupts_do_and_leaves_no_stamp(place: Place) -> None:
    os.mkfifo(place.gate)
    begun = place.begin("version")
    with place.gate.open("w"):
        begun.send_signal(signal.SIGINT)
        _, err = begun.communicate(timeout=60)
    assert (begun.returncode, "Traceback" in err) == (130, False)
    assert not place.is_installed()
    place.gate.unlink()
    assert place.run("version")[0] == 7
