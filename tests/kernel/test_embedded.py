"""The embedded PostgreSQL comes up after anything that can happen to it, and nobody's stop takes it from another."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import psycopg
import pytest

from bursar.kernel.embedded import EmbeddedPostgres, PostgresUnavailable

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

BUSY_FOR_A_SECOND = b"""
DO $$ DECLARE start timestamptz := now(); BEGIN
    WHILE clock_timestamp() < start + interval '1 second' LOOP END LOOP;
END $$
"""

# A user of the server in a process of its own: says the URL, then stays until it is killed or its input ends.
USER = """
import sys
from pathlib import Path
from bursar.kernel.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as postgres:
    print(postgres.start(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory in which no server may be left when the test is over."""
    directory = tmp_path / "bursar"
    yield directory
    left = servers_in(directory)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def servers_in(directory: Path) -> list[int]:
    """The numbers of the postmasters that run on this data directory."""
    cluster = os.fsencode(directory / "postgres")
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if cluster in words(path)]


def words(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:
        return []


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def setting(url: str, name: str) -> object:
    return ask(url, f"SHOW {name}")[0][0]


def new_user(data: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def kill_server(url: str, data: Path) -> None:
    """Kill the postmaster and every process of its own at once, as a power cut would."""
    others = [int(str(row[0])) for row in ask(url, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
    for pid in [*servers_in(data), *others]:
        os.kill(pid, signal.SIGKILL)


def test_a_first_start_makes_a_server_that_loses_no_commit(data: Path) -> None:
    with EmbeddedPostgres(data) as postgres:
        url = postgres.start()
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert setting(url, name) == "on"
        assert ask(url, "SELECT datlocprovider, datcollate, lower('É') FROM pg_database LIMIT 1") == [("b", "C", "é")]


def test_only_the_socket_of_its_owner_leads_to_it(data: Path) -> None:
    with EmbeddedPostgres(data, settings={"listen_addresses": "*"}) as postgres:
        assert setting(postgres.start(), "listen_addresses") == ""
        assert (data / "socket").stat().st_mode & 0o077 == 0
        assert data.stat().st_mode & 0o077 == 0


async def test_asyncpg_understands_the_url(data: Path) -> None:
    with EmbeddedPostgres(data) as postgres:
        connection = await asyncpg.connect(postgres.start())
        assert await connection.fetchval("SELECT current_user") == "postgres"
        await connection.close()


def test_the_next_start_finds_what_was_written(data: Path) -> None:
    with EmbeddedPostgres(data) as postgres:
        ask(postgres.start(), "CREATE TABLE kept AS SELECT 7 AS seven")
    assert servers_in(data) == []
    with EmbeddedPostgres(data) as postgres:
        assert ask(postgres.start(), "SELECT seven FROM kept") == [(7,)]


def test_the_last_of_two_users_stops_it(data: Path) -> None:
    first, second = EmbeddedPostgres(data), EmbeddedPostgres(data)
    url = first.start()
    assert second.start() == url
    first.stop()
    first.stop()
    assert ask(url, "SELECT 1") == [(1,)]
    second.stop()
    assert servers_in(data) == []


def test_four_processes_that_start_it_at_once_share_one_server(data: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    urls = {process.stdout.readline() for process in processes if process.stdout}
    assert len(urls) == 1
    assert len(servers_in(data)) == 1
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 4


def test_a_server_whose_user_was_killed_is_taken_over_and_stopped_by_the_next(data: Path) -> None:
    user, url = new_user(data)
    before = servers_in(data)
    kill(user)
    with EmbeddedPostgres(data) as postgres:
        assert postgres.start() == url
        assert servers_in(data) == before
    assert servers_in(data) == []


def test_everything_killed_at_once_loses_no_commit(data: Path) -> None:
    user, url = new_user(data)
    ask(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    kill(user)
    kill_server(url, data)
    with EmbeddedPostgres(data) as postgres:
        assert ask(postgres.start(), "SELECT count(*) FROM kept") == [(1000,)]


def test_a_killed_postmaster_comes_back_for_the_same_user(data: Path) -> None:
    with EmbeddedPostgres(data) as postgres, closing(psycopg.connect(postgres.start())) as busy:
        (postmaster,) = servers_in(data)
        # A session that computes does not notice the loss; the new server has to wait until it is through.
        busy.pgconn.send_query(BUSY_FOR_A_SECOND)
        os.kill(postmaster, signal.SIGKILL)
        os.waitid(os.P_PID, postmaster, os.WEXITED | os.WNOWAIT)
        assert ask(postgres.start(), "SELECT 1") == [(1,)]
        assert servers_in(data) != [postmaster]
        assert "shared memory block" in (data / "postgres.log").read_text()


def test_a_stale_pid_file_that_names_another_program_is_seen_through(data: Path) -> None:
    user, url = new_user(data)
    kill(user)
    kill_server(url, data)
    other = subprocess.Popen(["sleep", "60"])
    for path in (data / "postgres" / "postmaster.pid", data / "socket" / ".s.PGSQL.5432.lock"):
        path.write_text(f"{other.pid}\n" + path.read_text().split("\n", 1)[1])
    with EmbeddedPostgres(data) as postgres:
        assert ask(postgres.start(), "SELECT 1") == [(1,)]
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_start_that_was_killed_half_way_is_begun_again(data: Path) -> None:
    half = data / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data) as postgres:
        assert ask(postgres.start(), "SELECT 1") == [(1,)]
    assert not half.exists()


def test_ctrl_c_in_the_terminal_is_not_for_the_server(data: Path) -> None:
    with EmbeddedPostgres(data):
        (postmaster,) = servers_in(data)
        assert os.getsid(postmaster) == postmaster


def test_a_setting_reaches_the_server(data: Path) -> None:
    with EmbeddedPostgres(data, settings={"max_connections": "37"}) as postgres:
        assert setting(postgres.start(), "max_connections") == "37"


def test_it_has_room_for_a_large_ledger(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = {"SC_PAGE_SIZE": 4_096, "SC_PHYS_PAGES": 2**19}
    monkeypatch.setattr(os, "sysconf", memory.__getitem__)
    with EmbeddedPostgres(data, settings={"checkpoint_timeout": "1min"}) as postgres:
        url = postgres.start()
        seen = [setting(url, name) for name in ("shared_buffers", "max_wal_size", "checkpoint_timeout")]
    assert seen == ["256MB", "8GB", "1min"]


def test_a_setting_that_postgres_refuses_is_told_in_its_words(data: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="shared_buffers"):
        EmbeddedPostgres(data, settings={"shared_buffers": "plenty"}).start()


@pytest.mark.parametrize("name", ["a b", "it's, really", "x" * 100])
def test_any_name_of_the_directory_will_do(data: Path, name: str) -> None:
    odd = data / name
    with EmbeddedPostgres(odd) as postgres:
        assert ask(postgres.start(), "SELECT 1") == [(1,)]
        assert len(servers_in(odd)) == 1
    assert servers_in(odd) == []


def test_a_socket_directory_of_somebody_else_is_refused(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    (tmp_path / "theirs").mkdir()
    (data / "socket").symlink_to(tmp_path / "theirs")
    with pytest.raises(PostgresUnavailable, match="belongs to somebody else"):
        EmbeddedPostgres(data).start()


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PostgresUnavailable, match="Set BURSAR_DATA"):
        EmbeddedPostgres(tmp_path / "file" / "bursar").start()


def test_a_cluster_of_another_major_version_is_left_alone(data: Path) -> None:
    with EmbeddedPostgres(data):
        pass
    (data / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(PostgresUnavailable, match=r"made by PostgreSQL 14.* PostgreSQL 18 on it.*BURSAR_DATABASE_URL"):
        EmbeddedPostgres(data).start()


def test_binaries_that_are_none_are_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="There are no PostgreSQL programs"):
        EmbeddedPostgres(data, binaries=tmp_path).start()


@pytest.mark.skipif(not DEBIAN_15.exists(), reason="PostgreSQL 15 is not installed here")
def test_the_programs_of_debian_serve_as_well(data: Path) -> None:
    with EmbeddedPostgres(data, binaries=DEBIAN_15) as postgres:
        url = postgres.start()
        assert str(setting(url, "server_version")).startswith("15.")
        assert setting(url, "data_checksums") == "on"
        assert ask(url, "SELECT lower('É'), 'a' < 'B'") == [("é", False)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_user_namespaces_becomes_another_account(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("setpriv", "true", "sh", "locale"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with EmbeddedPostgres(data) as postgres:
        assert ask(postgres.start(), "SELECT 1") == [(1,)]
        (postmaster,) = servers_in(data)
        assert (Path("/proc") / str(postmaster)).stat().st_uid == 65534
