#!/usr/bin/env python3
"""Set everything up and run it, so that a fresh machine with Python and pip needs one command.

`python3 run.py test [pytest options]` runs the tests; `python3 run.py <anything else>` is the `bursar` command.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
LOCKS = {"runtime": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
PYTHONS = (sys.executable, "python3", "python3.14", "python3.13", "python3.12", "python3.11")

NO_PYTHON = "Bursar needs Python 3.11 or newer; none was found on the PATH."
NO_PIP = """Bursar installs its dependencies with pip or uv, and found neither for {python}.
Install one of them and run the same command again, for example:  apt-get install python3-pip"""


def main(arguments: list[str]) -> None:
    """Install what the command needs, then become that command."""
    testing = arguments[:1] == ["test"]
    try:
        prepare("dev" if testing else "runtime")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"Bursar could not set up {VENV}: {error}")
    if testing:
        os.chdir(ROOT)
        # The tests start hundreds of processes; where this is set, each would compile all that it imports.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        become("-m", "pytest", *arguments[1:])
    # -P keeps files of the user's directory from being imported in place of Bursar's own.
    become("-P", "-m", "bursar", *arguments)


def become(*arguments: str) -> None:
    """Replace this process, so that signals and the exit code are the command's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(PYTHON, [str(PYTHON), *arguments])


def prepare(kind: str) -> None:
    """Make the virtual environment hold what the lock file says; at once when it already does."""
    if is_ready(kind):
        return
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another run may have done the work while this one waited for the lock.
        if not is_ready(kind):
            print("Setting up .venv, once: this takes up to a minute …", file=sys.stderr, flush=True)
            install(kind, lock.fileno())


def is_ready(kind: str) -> bool:
    """Tell whether the environment holds this set of these lock files; the dev set contains the runtime set."""
    return is_whole() and STAMP.read_text().split()[:2] in (["dev", locks()], [kind, locks()])


def is_whole() -> bool:
    """Tell whether an installation came to its end here, and neither the clone nor its Python has moved since."""
    try:
        return STAMP.read_text().split()[2:] == [place()] and os.access(PYTHON, os.X_OK)
    except OSError:
        return False


def locks() -> str:
    """Change with the lock files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in LOCKS.values())).hexdigest()


def place() -> str:
    """Change with the places of the clone and of Python, which the environment points at."""
    return hashlib.sha256(os.fsencode(ROOT) + b"\0" + os.fsencode(PYTHON.resolve())).hexdigest()


def install(kind: str, lock: int) -> None:
    """Fill the virtual environment; its stamp goes first and comes back last, so a killed run leaves none."""
    python = find_python()
    if not is_whole():
        # A package that was written half can look installed, so an environment without a stamp starts again.
        if VENV.exists():
            shutil.rmtree(VENV)
        # Debian's Python has no ensurepip, so the environment is made without a pip of its own.
        call([python, "-m", "venv", "--without-pip", str(VENV)], lock)
    STAMP.unlink(missing_ok=True)
    if not with_uv(LOCKS[kind], lock):
        with_pip(python, LOCKS[kind], lock)
    for packages in VENV.glob("lib/python3*/site-packages"):
        (packages / "bursar.pth").write_text(f"{ROOT / 'src'}\n")
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(f"{kind} {locks()} {place()}\n")
    fresh.replace(STAMP)


def find_python() -> str:
    """Pick a Python that is new enough, one with pip if there is one."""
    paths = [path for path in map(shutil.which, filter(None, PYTHONS)) if path]
    able = [path for path in paths if runs(path, "import sys; sys.exit(sys.version_info < (3, 11))")]
    if not able:
        sys.exit(NO_PYTHON)
    return next((path for path in able if runs(path, "import pip")), able[0])


def runs(python: str, program: str) -> bool:
    """Tell whether this Python can run the program to its end."""
    try:
        return subprocess.run([python, "-c", program], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def with_uv(requirements: Path, lock: int) -> bool:
    """Install by uv if it is there; false sends the caller to pip, which may know a mirror that uv does not."""
    uv = shutil.which("uv")
    if uv is None:
        return False
    command = [uv, "pip", "install", "--python", str(PYTHON), "--require-hashes", "-r", str(requirements)]
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, pass_fds=(lock,), check=False)
    return done.returncode == 0


def with_pip(python: str, requirements: Path, lock: int) -> None:
    """Install by the pip of the Python that made the environment."""
    if not runs(python, "import pip"):
        sys.exit(NO_PIP.format(python=python))
    options = ["--disable-pip-version-check", "--no-compile", "--require-hashes"]
    call([python, "-m", "pip", "--python", str(PYTHON), "install", *options, "-r", str(requirements)], lock)


def call(command: list[str], lock: int) -> None:
    """Run a step of the installation and show what it said only if it failed.

    The child inherits the lock, so that a child that outlives a killed run still keeps the next run waiting.
    """
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=(lock,), check=False
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nSetting up .venv failed at: {' '.join(command)}")


if __name__ == "__main__":
    main(sys.argv[1:])
