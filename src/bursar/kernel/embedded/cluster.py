"""One database cluster on disk and the server on it: made once, brought up after whatever happened to the last one."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from bursar.kernel.embedded.programs import PostgresUnavailable, Programs

# What was logged since the last checkpoint is done again first, up to some gigabytes.
START_SECONDS = 600
STOP_SECONDS = 60
PORT = 5432

# What a new server says while the last processes of a killed one still leave: another try will do.
PASSING_TROUBLES = ("shared memory block", "lock file")

# The address of a Unix socket holds 104 bytes on some systems; PostgreSQL's file name and the end take 15 of them.
LONGEST_SOCKET_DIRECTORY = 88


# After a checkpoint the first change of each page puts the whole page into the log. A large ledger changes pages all
# over, so with PostgreSQL's own gigabyte it would be at the next checkpoint before it has been through with that.
ROOM_FOR_THE_LOG = {"max_wal_size": "8GB", "checkpoint_timeout": "30min"}


class State(Enum):
    """What `pg_isready` answers, by its exit code; a busy server starts, recovers or ends."""

    READY = 0
    BUSY = 1
    ABSENT = 2


class Cluster:
    """The cluster below the directory `data`; its callers see to it that one at a time brings it up or down."""

    def __init__(self, data: Path, programs: Programs, settings: Mapping[str, str]) -> None:
        self._data = data
        self._directory = data / "postgres"
        self._log = data / "postgres.log"
        self._socket = _socket_directory(data)
        self._programs = programs
        self._settings = settings
        self._pid: int | None = None

    @property
    def url(self) -> str:
        """Where the superuser finds it."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket))}&port={PORT}"

    def state(self) -> State:
        """Ask the server itself: that a process has the right number proves nothing."""
        whom = ("-h", self._socket, "-p", str(PORT), "-U", "postgres", "-d", "postgres")
        code = self._programs.run("pg_isready", "-q", "-t", "2", *whom).returncode
        return State(code) if code in (0, 1) else State.ABSENT

    def bring_up(self) -> None:
        """Return when the server answers, made and started as far as that is needed."""
        _own(self._socket, self._programs.owner)
        if self.state() is State.READY:
            return
        self._make()
        deadline = time.monotonic() + START_SECONDS
        mark: int | None = None
        while (state := self.state()) is not State.READY:
            if time.monotonic() > deadline:
                raise PostgresUnavailable(f"PostgreSQL did not start in {START_SECONDS} seconds; see {self._log}.")
            if state is State.ABSENT and self._has_ended():
                self._give_up_if_lasting(mark)
                self._forget_stale_pids()
                mark = self._spawn()
            time.sleep(0.02)

    def bring_down(self) -> None:
        """End the server with all its sessions, everything written out; return when it is gone."""
        # One that was killed is collected first: pg_ctl would take what is left of it for a server that does not stop.
        if not (self._has_ended() and self.state() is State.ABSENT):
            self._stop()
        # It is made anew at the next start; below /tmp an empty one would be litter.
        with contextlib.suppress(OSError):
            self._socket.rmdir()

    def _stop(self) -> None:
        stopped = self._programs.run(
            "pg_ctl", "stop", "-D", self._directory, "-m", "fast", "-w", "-t", str(STOP_SECONDS)
        )
        # A server that died before leaves nothing to stop.
        if stopped.returncode != 0 and self.state() is not State.ABSENT:
            raise PostgresUnavailable(f"PostgreSQL did not stop in {STOP_SECONDS} seconds; see {self._log}.")
        if self._pid is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = None

    def _make(self) -> None:
        if self._directory.exists():
            self._refuse_other_version()
            return
        # Made beside its place and then moved, so that no kill leaves half a cluster there.
        fresh = self._data / "postgres.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        _own(fresh, self._programs.owner)
        made = self._programs.run("initdb", "-D", fresh, *_initdb_options(self._programs.major()))
        if made.returncode != 0:
            raise PostgresUnavailable(f"PostgreSQL could not make a database in {fresh}: {made.stderr.strip()}")
        fresh.rename(self._directory)
        # Commits are only as durable as the name of the directory they are in.
        _sync(self._data)

    def _refuse_other_version(self) -> None:
        theirs, ours = int((self._directory / "PG_VERSION").read_text()), self._programs.major()
        if theirs != ours:
            raise PostgresUnavailable(
                f"The database in {self._directory} was made by PostgreSQL {theirs}, and Bursar would run "
                f"PostgreSQL {ours} on it. Set BURSAR_DATA to another directory to begin anew, or run PostgreSQL "
                f"{theirs} on it yourself and set BURSAR_DATABASE_URL."
            )

    def _spawn(self) -> int:
        """Start the server, in a session of its own so that Ctrl-C in the terminal is not its business.

        Returns how much the log held before.
        """
        before = self._log.stat().st_size if self._log.exists() else 0
        options = [f"-c{name}={value}" for name, value in self._all_settings().items()]
        command = self._programs.command("postgres", "-D", self._directory, *options)
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self._log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        self._pid = os.posix_spawnp(command[0], command, self._programs.environment, file_actions=files, setsid=True)
        return before

    def _all_settings(self) -> dict[str, str]:
        return {
            "max_connections": "100",
            **ROOM_FOR_THE_LOG,
            "shared_buffers": f"{_megabytes_of_pages()}MB",
            **self._settings,
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self._socket),
            "unix_socket_permissions": "0700",
        }

    def _has_ended(self) -> bool:
        """Tell whether no server that this object spawned is still there, and collect it if it ended."""
        if self._pid is not None:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self._pid, os.WNOHANG) == (0, 0):
                    return False
            self._pid = None
        return True

    def _give_up_if_lasting(self, mark: int | None) -> None:
        if mark is None:
            return
        said = self._log.read_bytes()[mark:].decode(errors="replace").strip()
        if not any(trouble in said for trouble in PASSING_TROUBLES):
            raise PostgresUnavailable(f"PostgreSQL did not start. It said: {said[-2000:]}")

    def _forget_stale_pids(self) -> None:
        """Remove pid files that name a live process which is not this server, as after a reboot.

        PostgreSQL itself sees through the number of a dead process, not through one that has been given out again.
        """
        for path in (self._directory / "postmaster.pid", self._socket / f".s.PGSQL.{PORT}.lock"):
            with contextlib.suppress(OSError, ValueError):
                pid = int(path.read_text().split("\n", 1)[0])
                if Path("/proc/self").exists() and not self._is_server(pid):
                    path.unlink()

    def _is_server(self, pid: int) -> bool:
        process = Path("/proc") / str(pid)
        # A zombie has no command line left and no directory.
        with contextlib.suppress(OSError):
            if os.fsencode(self._directory) in (process / "cmdline").read_bytes().split(b"\0"):
                return True
        with contextlib.suppress(OSError):
            return (process / "cwd").readlink() == self._directory
        return False


def _megabytes_of_pages() -> int:
    """How much PostgreSQL keeps of its pages, as far as there are so many: an eighth of the memory, 2 GB at most."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # Without a limit there is no file, or no number in it.
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(max(memory // 2**20 // 8, 128), 2_048)


def _initdb_options(major: int) -> list[str]:
    options = ["--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--data-checksums"]
    # Text sorts by code point on every machine, and letters beyond ASCII have cases. From 17 on PostgreSQL brings
    # that along; before, it is the C library's.
    if major < 17:
        return [*options, "--locale=C.UTF-8"]
    return [*options, "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _socket_directory(data: Path) -> Path:
    directory = data / "socket"
    # A comma separates hosts in a URL, and directories in PostgreSQL's setting.
    if len(os.fsencode(directory)) <= LONGEST_SOCKET_DIRECTORY and not set(str(directory)) & set(",\"'"):
        return directory
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/tmp") / f"bursar-{name}"  # noqa: S108 - a short path that is the same for everyone; _own guards it.


def _own(directory: Path, owner: int) -> None:
    """Make the directory, or take one that was made here before, for this account alone."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()
    # Somebody else's directory, or a link to one, would let them answer in PostgreSQL's place.
    if directory.is_symlink() or found.st_uid not in (os.geteuid(), owner):
        raise PostgresUnavailable(f"{directory} belongs to somebody else. Remove it, or set BURSAR_DATA elsewhere.")
    directory.chmod(0o700)
    if found.st_uid != owner:
        os.chown(directory, owner, -1)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
