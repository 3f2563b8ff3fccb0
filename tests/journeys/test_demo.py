"""`bursar demo` plays the whole job, fails when any of it does not hold, and leaves nothing behind."""

import asyncio
import json
import re
import shutil
import signal
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import psycopg
import pytest

from bursar.kernel.embedded import EmbeddedPostgres
from tests.journeys.processes import Ended, is_running, run, start, surroundings

SCENES = (
    "The sandbox opens",
    "A bank's statement comes in, and is reconciled",
    "An agent gets a key, pays, and asks for too much",
    "An answer is lost on the way",
    "The books are verified",
    "What the agent did",
)


def environment_of(data: Path) -> dict[str, str]:
    """Somebody whose environment names a database of theirs, which is not the demo's business."""
    return surroundings(BURSAR_DATA=data, BURSAR_DATABASE_URL="postgresql://nobody@127.0.0.1:1/theirs")


def assert_all_held(ended: Ended, data: Path) -> None:
    assert ended.code == 0, ended.out + ended.errors
    assert "All 15 claims held" in ended.out
    assert [scene for scene in SCENES if scene in ended.out] == list(SCENES)
    assert "✘" not in ended.out
    assert not is_running(data)


async def until(process: Process, text: str) -> str:
    """What a process says until it has said this."""
    assert process.stdout
    said = ""
    async with asyncio.timeout(60):
        while text not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return said


async def test_the_demo_holds_and_holds_again_after_it_was_killed(tmp_path: Path) -> None:
    environment = environment_of(tmp_path)
    assert_all_held(await run(environment, "demo"), tmp_path)
    killed = await start(environment, "demo")
    await until(killed, SCENES[2])
    killed.kill()
    await killed.communicate()
    ended = await run(environment, "demo")
    assert "0 new, 772 already there" in ended.out
    assert_all_held(ended, tmp_path)


@pytest.mark.soak
async def test_the_demo_fails_and_says_which_claim_did_not_hold(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    made = await run(surroundings(BURSAR_DATA=data), "key", "create", "--operator", "somebody")
    assert made.code == 0, made.errors
    with EmbeddedPostgres(data) as server, psycopg.connect(server.start()) as connection:
        connection.execute("UPDATE bursar.account SET version = version + 1 WHERE number = 'ACC20002'")
    ended = await run(environment_of(tmp_path), "demo")
    assert ended.code == 1
    (claim,) = re.findall(r"^Did not hold: (.*)", ended.out, re.MULTILINE)
    assert "invariants hold" in claim
    assert "ACC20002" in ended.out
    assert "claims held" not in ended.out


@pytest.mark.parametrize(("scene", "number"), [(SCENES[0], signal.SIGTERM), (SCENES[1], signal.SIGINT)])
async def test_the_demo_that_is_interrupted_leaves_nothing_running(
    tmp_path: Path, scene: str, number: signal.Signals
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    # Not `setpriv`, by which the kernel would end what the demo forgot; PostgreSQL needs these to run for root.
    for name in ("unshare", "true"):
        (programs / name).symlink_to(shutil.which(name) or name)
    process = await start({**environment_of(tmp_path), "PATH": str(programs)}, "demo")
    await until(process, scene)
    process.send_signal(number)
    out, errors = await process.communicate()
    assert process.returncode == 130
    assert b"nothing is left running" in out
    assert b"Traceback" not in errors
    assert not is_running(tmp_path)


@pytest.mark.soak
async def test_the_demo_that_is_kept_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = await start(environment_of(tmp_path), "demo", "--keep")
    said = await until(process, "It stays up until Ctrl-C.")
    assert "All 15 claims held" in said
    (command,) = re.findall(r"^curl .*\\\n.*", said, re.MULTILINE)
    (docs,) = re.findall(r"http\S+/docs", said)
    for shell, expected in ((command, "posted"), (f"{command} -i", "idempotent-replayed: true")):
        assert expected in await output_of(f"{shell} -s --noproxy '*'")
    assert json.loads(await output_of(command + " -s --noproxy '*'"))["amount"] == "10.00"
    assert "swagger" in await output_of(f"curl -s --noproxy '*' {docs}")
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 0
    assert not is_running(tmp_path)


async def output_of(command: str) -> str:
    """What a line typed into a shell prints."""
    shell = await asyncio.create_subprocess_shell(command, stdout=PIPE)
    out, _ = await shell.communicate()
    return out.decode()
