"""The whole play, from an empty machine to the audit trail."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.text import Text

from bursar.client import CallFailed
from bursar.faces.demo.agent import Cast, bursar, enrol, look_back, lose_an_answer, overspend, pay, show_trail
from bursar.faces.demo.evidence import Evidence
from bursar.faces.demo.people import ask_a_person
from bursar.faces.demo.processes import DemoFailed, command, serving
from bursar.faces.demo.statement import import_statement

_STOPPED = 130


async def demo(data: Path, port: int, *, keep: bool) -> int:
    """Play it on this data directory and return the exit code: 0 only if every claim held.

    With `keep` the service stays up afterwards, until Ctrl-C or SIGTERM.
    """
    evidence = Evidence(Console(highlight=False, markup=False))
    playing = asyncio.ensure_future(_play(evidence, data, port, keep=keep))
    with _ending_on_signal(playing):
        try:
            return await playing
        except asyncio.CancelledError:
            evidence.console.print("\nStopped; nothing is left running.")
            return 0 if evidence.closed else _STOPPED
        except (CallFailed, DemoFailed) as failure:
            evidence.claim("The story comes to its end.", holds=False, seen=str(failure))
            return evidence.close()


@contextmanager
def _ending_on_signal(playing: "asyncio.Future[int]") -> Generator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _play(evidence: Evidence, data: Path, port: int, *, keep: bool) -> int:
    evidence.scene("The sandbox opens")
    async with AsyncExitStack() as stack:
        with evidence.console.status("Starting PostgreSQL and the service …"):
            address, process = await stack.enter_async_context(serving(data, port))
        cast = await _scenes(evidence, data, address)
        code = evidence.close()
        if keep and code == 0:
            _invite(evidence.console, address, cast)
            await process.wait()
            raise DemoFailed("The service ended by itself.")
        return code


async def _scenes(evidence: Evidence, data: Path, address: str) -> Cast:
    await _open(evidence, address)
    evidence.scene("A bank's statement comes in, and is reconciled")
    await import_statement(evidence, data)
    evidence.scene("An agent gets a key, pays, and asks for too much")
    # A name of its own, since nobody has more than two active keys.
    made = await command(data, "key", "create", "--operator", f"operator-{uuid4().hex[:8]}")
    async with bursar(address, made.facts["key"]) as operator:
        cast = await enrol(operator)
        async with bursar(address, cast.key) as agent:
            await pay(evidence, agent, cast)
            await overspend(evidence, agent, cast)
        evidence.scene("An answer is lost on the way")
        await lose_an_answer(evidence, address, cast)
        await look_back(evidence, operator, cast)
        evidence.scene("A payment above its limit waits for a person")
        other = await command(data, "key", "create", "--operator", f"operator-{uuid4().hex[:8]}")
        async with bursar(address, other.facts["key"]) as second, bursar(address, cast.key) as agent:
            await ask_a_person(evidence, operator, second, agent, cast)
        evidence.scene("The books are verified")
        await _verify(evidence, data)
        evidence.scene("What the agent did")
        await show_trail(evidence, operator, cast)
    return cast


async def _open(evidence: Evidence, address: str) -> None:
    async with bursar(address) as anyone:
        first = await anyone.account_balance("ACC10001")
    seen = f"{evidence.seconds:.1f} s after the start: {first.account_number} has {first.balance} {first.currency}"
    evidence.claim(f"{address} answers.", holds=first.currency == "USD", seen=seen)


async def _verify(evidence: Evidence, data: Path) -> None:
    verified = await command(data, "verify")
    invariants = verified.facts["invariants"]
    broken = [invariant for invariant in invariants if invariant["violations"]]
    for invariant in broken:
        evidence.tell(f"{invariant['name']} {invariant['claim']}: {invariant['violations'][0]}", "red")
    looked_at = ", ".join(f"{count:,} {kind}" for kind, count in verified.facts["looked_at"].items())
    holds = verified.code == 0 and bool(invariants) and not broken
    evidence.claim(f"All {len(invariants)} invariants hold over the whole database.", holds=holds, seen=looked_at)


def _invite(console: Console, address: str, cast: Cast) -> None:
    """What somebody needs to go on by hand."""
    body = f'{{"source": "{cast.wallet}", "target": "{cast.supplier}", "amount": "10.00", "currency": "USD"}}'
    lines = (
        "",
        f"Address  {address}",
        f"OpenAPI  {address}/docs",
        f"Key      {cast.key}  ({cast.agent}, in this sandbox only)",
        "",
        f"curl {address}/v1/transfers -H 'Authorization: Bearer {cast.key}' -H 'Idempotency-Key: my-first' \\",
        f"  -H 'Content-Type: application/json' -d '{body}'",
        "",
        "It stays up until Ctrl-C.",
    )
    for line in lines:
        console.print(Text(line), soft_wrap=True)
