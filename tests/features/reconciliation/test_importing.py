"""Every movement of a statement is booked once, however often, however far and by however many it is imported."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.core.events import service as events
from bursar.core.events.service import Filter
from bursar.core.identity import service as identity
from bursar.core.identity.model import AgentSuspended, NameTaken
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.accounts import OpenAccount
from bursar.features.reconciliation.model import BadLine, CannotReadFile, Progress, WrongHeader
from bursar.kernel.db import Database, OutcomeUnknown
from bursar.kernel.ids import new_id
from tests.faults.proxy import Cut, proxied
from tests.statements import SAMPLE, Office, line

MOVEMENTS = 772


def test_the_sample_is_what_its_readme_says() -> None:
    lines = SAMPLE.read_bytes().splitlines()
    assert len(lines) == MOVEMENTS + 1
    assert len({text.split(b";")[1] for text in lines[1:]}) == 20


async def test_the_sample_is_imported_whole(office: Office) -> None:
    report = await office.bring(SAMPLE)
    assert (report.lines, report.new, report.already_there, report.bad_lines) == (MOVEMENTS, MOVEMENTS, 0, [])
    assert (str(report.credits), str(report.debits)) == ("3195033.30", "2524290.70")
    assert report.accounts_opened == 20 + 4
    assert await office.counts() == (MOVEMENTS, MOVEMENTS, 1)


async def test_the_same_file_twice_changes_nothing(office: Office) -> None:
    await office.bring(SAMPLE)
    before = await office.counts()
    again = await office.bring(SAMPLE)
    assert (again.new, again.already_there, again.accounts_opened) == (0, MOVEMENTS, 0)
    assert (again.credits.minor, again.debits.minor, again.bad_lines) == (0, 0, [])
    assert await office.counts() == before


class Stopped(Exception):
    """Somebody stopped the import."""


async def test_a_half_imported_file_continues_where_it_stopped(office: Office) -> None:
    def stop(progress: Progress) -> None:
        if progress.new == 300:
            raise Stopped

    with pytest.raises(Stopped):
        await office.bring(SAMPLE, stop, at_once=100)
    assert (await office.counts())[:2] == (300, 300)
    rest = await office.bring(SAMPLE, at_once=100)
    assert (rest.new, rest.already_there) == (MOVEMENTS - 300, 300)
    assert (await office.counts())[:2] == (MOVEMENTS, MOVEMENTS)


async def test_a_cancelled_import_leaves_whole_chunks_behind(office: Office) -> None:
    reached = asyncio.Event()

    def note(progress: Progress) -> None:
        if progress.new >= 200:
            reached.set()

    work = asyncio.create_task(office.bring(SAMPLE, note, at_once=20))
    await reached.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    entries, booked, written = await office.counts()
    assert 200 <= entries == booked == written * 20 < MOVEMENTS
    assert (await office.bring(SAMPLE)).already_there == entries


async def test_two_importers_of_one_file_book_each_movement_once(office: Office) -> None:
    reports = await asyncio.gather(*(office.bring(SAMPLE, at_once=50) for _ in range(2)))
    assert sum(r.new for r in reports) == MOVEMENTS
    assert sum(r.already_there for r in reports) == MOVEMENTS
    assert sum(r.accounts_opened for r in reports) == 24
    assert (await office.counts())[:2] == (MOVEMENTS, MOVEMENTS)


async def test_the_order_of_the_lines_does_not_matter_for_what_is_booked(office: Office) -> None:
    header, *lines = SAMPLE.read_bytes().splitlines(keepends=True)
    shuffled = office.folder / "shuffled.csv"
    shuffled.write_bytes(header + b"".join(reversed(lines)))
    await office.bring(shuffled, at_once=70)
    assert (await office.bring(SAMPLE)).already_there == MOVEMENTS


async def test_progress_is_told_chunk_by_chunk(office: Office) -> None:
    told: list[Progress] = []
    await office.bring(SAMPLE, told.append, at_once=300)
    assert [p.new for p in told] == [300, 600, MOVEMENTS]
    assert {p.bytes_in_all for p in told} == {SAMPLE.stat().st_size}
    assert [p.bytes_read for p in told] == sorted(p.bytes_read for p in told)
    assert told[-1].bytes_read == SAMPLE.stat().st_size


async def test_bad_lines_are_reported_and_everything_else_goes_in(office: Office) -> None:
    report = await office.bring_lines(
        line("1"), line("2", amount="1.005"), "", line("3", kind="?"), "nonsense", line("4", amount="0.01")
    )
    assert [bad.line for bad in report.bad_lines] == [3, 5, 6]
    assert (report.lines, report.new, report.already_there) == (5, 2, 0)
    assert await office.balance("1787") == 10001
    assert (await office.counts())[:2] == (2, 2)


@pytest.mark.parametrize(
    "changed",
    [{"account": "1801"}, {"date": "930102"}, {"kind": "VYDAJ"}, {"amount": "100.01"}],
)
async def test_a_reference_that_comes_again_with_other_content_is_left_out(
    office: Office, changed: dict[str, str]
) -> None:
    fault = "reference: is booked already, with another account, date, direction or amount"
    report = await office.bring_lines(line("1"), line("1", **changed), line("2"))
    assert report.bad_lines == [BadLine(3, fault)]
    assert (report.new, report.already_there) == (2, 0)
    later = await office.bring_lines(line("2", **changed), line("3"))
    assert later.bad_lines == [BadLine(2, fault)]
    assert later.new == 1


async def test_a_line_that_is_printed_twice_is_booked_once(office: Office) -> None:
    report = await office.bring_lines(line("1"), line("1"), line("1", balance="5.00"))
    assert (report.new, report.already_there, report.bad_lines) == (1, 2, [])


async def test_what_the_ledger_refuses_is_reported_with_its_reason_and_can_be_brought_later(office: Office) -> None:
    await office.bring_lines(line("1", account="2"))
    async with office.database.transaction(office.tenant_id) as tx:
        await accounts.change_status(tx, "2", "frozen")
    again = office.write(line("2", account="1"), line("3", account="2", kind="VYDAJ"), line("4", date="681231"))
    report = await office.bring(again)
    assert [bad.line for bad in report.bad_lines] == [3, 4]
    assert report.bad_lines[0].reason.startswith("2 is frozen")
    assert report.bad_lines[1].reason == "effective_at: lies in the future"
    async with office.database.transaction(office.tenant_id) as tx:
        await accounts.change_status(tx, "2", "open")
    later = await office.bring(again)
    assert (later.new, later.already_there, [bad.line for bad in later.bad_lines]) == (1, 1, [4])


async def test_refusals_are_recorded_even_when_nothing_was_booked(office: Office) -> None:
    await office.bring_lines(line("1", date="681231"))
    async with office.database.transaction(office.tenant_id, read_only=True) as tx:
        (event,) = await events.read(tx, Filter(action="import_statement"), None, 10)
    assert (event.facts["type"], event.facts["decision"]) == ("statement.refused", "deny")
    assert event.facts["payload"]["refused"] == [{"line": 2, "reason": "effective_at: lies in the future"}]


async def test_an_account_of_another_currency_or_with_a_floor_keeps_its_rules(office: Office) -> None:
    async with office.database.transaction(office.tenant_id) as tx:
        await accounts.open_account(tx, OpenAccount("1", "in euros", "EUR"))
        await accounts.open_account(tx, OpenAccount("2", "not below zero", "CZK"))
    report = await office.bring_lines(line("1", account="1"), line("2", account="2", kind="VYDAJ"), line("3"))
    assert [bad.line for bad in report.bad_lines] == [2, 3]
    assert report.new == 1


async def test_accounts_are_opened_without_a_floor_and_currencies_sum_to_zero(office: Office) -> None:
    await office.bring_lines(line("1", kind="VYDAJ", amount="30.00"), line("2", amount="10.50", symbol="UROK"))
    async with office.database.transaction(office.tenant_id, read_only=True) as tx:
        opened = {a.number: a for a in await reading.list_accounts(tx, None, 10)}
    assert {number: a.balance.posted for number, a in opened.items()} == {
        "1787": -1950, "world:cash:CZK": 3000, "world:interest:CZK": -1050,
    }  # fmt: skip
    assert {(a.floor_minor, a.normal_side, a.currency, a.status) for a in opened.values()} == {
        (None, "credit", "CZK", "open")
    }


async def test_the_record_says_who_imported_what_from_which_file(office: Office) -> None:
    report = await office.bring(SAMPLE, at_once=400)
    async with office.database.transaction(office.tenant_id, read_only=True) as tx:
        found = await events.read(tx, Filter(action="import_statement"), None, 10)
    last, first = [event.facts for event in found]
    assert (first["type"], first["actor"]["kind"], first["actor"]["name"]) == (
        "statement.imported", "service", "statement-import",
    )  # fmt: skip
    assert [(e["payload"]["first_line"], e["payload"]["last_line"]) for e in (first, last)] == [(2, 401), (402, 773)]
    assert [e["payload"]["booked"] for e in (first, last)] == [400, MOVEMENTS - 400]
    assert {(e["object"], e["payload"]["file"], e["payload"]["mapping"]) for e in (first, last)} == {
        (f"sha256:{first['payload']['sha256']}", "berka.csv", "berka")
    }
    assert first["request_id"] == last["request_id"]
    assert sum(len(e["payload"]["accounts_opened"]) for e in (first, last)) == report.accounts_opened


async def test_movements_take_effect_when_their_day_begins(office: Office) -> None:
    await office.bring_lines(line("1", date="930228"))
    async with office.database.transaction(office.tenant_id, read_only=True) as tx:
        assert await tx.value(str, "SELECT effective_at::text FROM entry") == "1993-02-28 00:00:00+00"
        assert await tx.value(str, "SELECT kind || ' ' || description FROM entry") == "statement VKLAD"


async def test_a_suspended_importer_imports_nothing(office: Office) -> None:
    await office.bring_lines(line("1"))
    async with office.database.transaction(office.tenant_id) as tx:
        await tx.run("UPDATE principal SET status = 'suspended' WHERE name = 'statement-import'")
    with pytest.raises(AgentSuspended):
        await office.bring_lines(line("2"))
    assert (await office.counts())[0] == 1


async def test_nobody_else_is_taken_for_the_importer(office: Office) -> None:
    async with office.database.transaction(office.tenant_id) as tx:
        await identity.create_principal(tx, "agent", "statement-import")
    with pytest.raises(NameTaken):
        await office.bring_lines(line("1"))
    assert await office.counts() == (0, 0, 0)


async def test_each_tenant_has_its_own_movements(office: Office) -> None:
    other = Office(office.database, new_id(), office.folder)
    async with office.database.transaction(other.tenant_id) as tx:
        await identity.create_tenant(tx, "other")
    path = office.write(line("1"))
    assert [(await o.bring(path)).new for o in (office, other, office)] == [1, 1, 0]
    assert await other.counts() == (1, 1, 1)


async def test_a_file_of_another_shape_leaves_no_trace(office: Office) -> None:
    path = office.folder / "other.csv"
    path.write_text("a;b\n1;2\n")
    with pytest.raises(WrongHeader):
        await office.bring(path)
    for nothing in (office.folder / "missing.csv", office.folder):
        with pytest.raises(CannotReadFile):
            await office.bring(nothing)
    assert await office.counts() == (0, 0, 0)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A place for a socket, whose path may not be long."""
    with tempfile.TemporaryDirectory(prefix="cut-") as name:
        yield Path(name)


async def test_a_connection_that_breaks_at_commit_neither_loses_nor_doubles_a_movement(
    office: Office, database_url: str, directory: Path
) -> None:
    cuts: list[Cut] = ["pass", "before", "pass", "after", "pass", "at once", "pass"]
    async with proxied(database_url, directory) as (proxy, url):
        database = await Database.open(url, connections=2)
        proxy.plan(cuts * 5)
        report = await Office(database, office.tenant_id, office.folder).bring(SAMPLE, at_once=50)
        assert {"before", "after", "at once"} <= set(proxy.made)
        await database.close()
    assert (report.new, report.already_there) == (MOVEMENTS, 0)
    assert (await office.counts())[:2] == (MOVEMENTS, MOVEMENTS)


async def test_an_import_whose_outcome_stays_unknown_says_so_and_continues_when_run_again(
    office: Office, database_url: str, directory: Path
) -> None:
    async with proxied(database_url, directory) as (proxy, url):
        database = await Database.open(url, connections=2)
        proxy.plan(["pass", "unnoticed"])
        through = Office(database, office.tenant_id, office.folder)
        with pytest.raises(OutcomeUnknown):
            await through.bring(SAMPLE, at_once=50)
        proxy.notice()
        report = await through.bring(SAMPLE, at_once=50)
        await database.close()
    assert (report.new, report.already_there) == (MOVEMENTS - 50, 50)
    assert (await office.counts())[:2] == (MOVEMENTS, MOVEMENTS)
