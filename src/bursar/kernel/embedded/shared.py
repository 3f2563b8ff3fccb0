"""Several processes share one embedded server: each holds a lease on it, and the last to let go stops it.

A lease is a lock on a file, which the kernel drops when its holder is killed. A server that outlives its starter is
therefore taken over by the next user, and stopped by the last.
"""

import contextlib
import fcntl
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bursar.kernel.embedded.cluster import Cluster
from bursar.kernel.embedded.programs import PostgresUnavailable, find_programs


class EmbeddedPostgres:
    """One user of the PostgreSQL in the directory `data`, which comes into being at the first start.

    `binaries` is a directory with PostgreSQL's programs, found by itself when left out. `settings` are PostgreSQL's
    own and count for the one who really starts the server; nothing that makes a commit durable is changed here.
    """

    def __init__(self, data: Path, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        # Every user of the directory must come to the same socket, by whatever path it was named.
        self._data = data.resolve()
        self._binaries = binaries
        self._settings = settings or {}
        self._cluster: Cluster | None = None
        self._lease: int | None = None

    def start(self) -> str:
        """Have the server run and return its URL, for the superuser over a Unix socket; blocks until it answers."""
        self._make_room()
        with self._locked():
            cluster = self._cluster or Cluster(self._data, find_programs(self._binaries), self._settings)
            cluster.bring_up()
            self._cluster = cluster
            if self._lease is None:
                self._lease = _open(self._data / "postgres.lease")
                fcntl.flock(self._lease, fcntl.LOCK_SH)
        return cluster.url

    def stop(self) -> None:
        """Let go of the server and, as its last user, stop it; blocks until it ended. A second call does nothing."""
        if self._lease is None or self._cluster is None:
            return
        with self._locked():
            lease, self._lease = self._lease, None
            try:
                if _is_only_holder(lease):
                    self._cluster.bring_down()
            finally:
                os.close(lease)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_room(self) -> None:
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(_open(self._data / "postgres.lock"))
        except OSError as error:
            raise PostgresUnavailable(
                f"Bursar cannot write to its data directory: {error}. Set BURSAR_DATA to a directory of your own."
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """Be the only one who starts or stops this server."""
        lock = _open(self._data / "postgres.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _is_only_holder(lease: int) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
