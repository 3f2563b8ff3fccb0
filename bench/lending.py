"""How long a night takes: so many loans are brought to today by two schedulers, each a process of its own."""

import asyncio
import multiprocessing
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
from rich.table import Table

from bench.comparing import describe
from bench.page import Environment
from bursar import worker
from bursar.core.authority.settling import Ground, settle
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.orders import Move, SendMoney
from bursar.faces.cli.verify import REPLAYS
from bursar.features.lending import loan_store, nightly, service, store
from bursar.features.lending.application import Intake
from bursar.features.lending.booking import book
from bursar.features.lending.events import Disbursed
from bursar.features.lending.loan import Loan, agreed
from bursar.features.lending.postings import Flows, Movement, postings_of
from bursar.features.lending.recording import Cause, record
from bursar.features.lending.service import Wanted
from bursar.features.lending.store import Offer
from bursar.features.verification import service as verification
from bursar.kernel.canonical import Json
from bursar.kernel.db import Database, Tx
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.ids import new_id
from bursar.kernel.migrate import migrate
from bursar.kernel.money import Money

SCHEDULERS: Final = 2
# Loans paid out on as many days in a row, so that some fall due, some are overdue and most only accrue.
DAYS: Final = 40
MINOR: Final = 1_200_00
TERMS: Final[Mapping[str, Json]] = {
    "account": "pot", "application_days": 30, "consents": [], "currency": "USD",
    "day_count": "actual/365", "every": 1, "interest_on": "declining", "max_amount": "10000.00", "max_installments": 60,
    "method": "equal_installments", "min_amount": "100.00", "min_installments": 1, "offer_days": 14,
    "rate_ppm": 99_000, "unit": "month",
    "policy": {"max_debt_service_percent": None, "min_points": None, "review_below_points": None},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """How many loans had their night in how many seconds; `violations` is what verification found, if anything.

    What the night did: how many loans accrued interest, on how many an installment fell due, and how many are overdue.
    """

    environment: Environment
    loans: int
    seconds: float
    accrued: int
    fell_due: int
    overdue: int
    violations: str | None


class Done(NamedTuple):
    """What a night has left behind."""

    accrued: int
    fell_due: int
    overdue: int
    behind: int


def measure_night(scratch: Path, loans: int) -> Report:
    """Have two schedulers pass the night of so many loans in a fresh database."""
    server = EmbeddedPostgres(scratch / "postgres")
    try:
        url = server.start()
        asyncio.run(_lend(url, loans))
        began = time.perf_counter()
        schedulers = [
            multiprocessing.get_context("spawn").Process(target=_pass, args=(url,)) for _ in range(SCHEDULERS)
        ]
        for scheduler in schedulers:
            scheduler.start()
        for scheduler in schedulers:
            scheduler.join()
        seconds = time.perf_counter() - began
        made = DAYS * -(-loans // DAYS)
        done, violations = asyncio.run(_looked_at(url, made))
        return Report(describe(url), made, seconds, done.accrued, done.fell_due, done.overdue, violations)
    finally:
        server.stop()


def _pass(url: str) -> None:
    async def work() -> None:
        database = await Database.open(url, role="bursar_worker", connections=2)
        await worker.pass_nights(database)
        await database.close()

    asyncio.run(work())


async def _looked_at(url: str, loans: int) -> tuple[Done, str | None]:
    """What the night did, and whatever is wrong: every loan is held against the replay of its facts."""
    database = await Database.open(url, role="bursar_verify", connections=1)
    try:
        async with database.transaction(read_only=True) as tx:
            found = await verification.verify(tx)
            found += await verification.replayed(tx, REPLAYS, lambda _replay, _looked_at: None)
            done = await tx.row(
                Done,
                """SELECT (SELECT count(*) FROM loan_accrual WHERE day = d.today AND interest_minor > 0),
                          (SELECT count(*) FROM loan WHERE state::jsonb #>> '{open,-1,0}' = d.today::text),
                          (SELECT count(*) FROM loan WHERE bucket <> 'current'),
                          (SELECT count(*) FROM loan WHERE day < d.today)
                   FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) d""",
            )
    finally:
        await database.close()
    assert done
    wrong = [str(violation) for violation in found]
    if (done.accrued, done.behind) != (loans, 0) or not done.overdue:
        wrong.append(f"The night is not done: {done}.")
    return done, "\n".join(wrong) or None


async def _lend(url: str, loans: int) -> None:
    """Loans that are where they were yesterday: one for each day by the way that all go, and copies of it."""
    await migrate(url)
    database = await Database.open(url)
    tenant_id = new_id()
    async with database.transaction(tenant_id) as tx:
        await tx.run("INSERT INTO tenant (tenant_id, name) VALUES ($1, 'lender')", tenant_id)
        clerk = await identity.create_principal(tx, "operator", "clerk")
        actor = Actor(tenant_id, clerk.id, "operator", clerk.name, None, frozenset())
        pot = [OpenAccount(number, number, "USD", floor_minor=None) for number in ("pot", "borrowers")]
        await accounts.open_many(tx, pot)
        await service.make_product(tx, actor, "bench", TERMS)
        today = await loan_store.today(tx)
    copies = -(-loans // DAYS) - 1
    for n in range(DAYS):
        async with database.transaction(tenant_id) as tx:
            made = await _paid_out(tx, actor, n, today - timedelta(days=n + 1))
            made = await nightly.catch_up(tx, made, today - timedelta(days=1))
            flows = Flows(*made.flows)
            moved = [Movement(m.source, m.target, m.minor * copies) for m in postings_of(Flows(), flows)]
            await book(tx, Ground("disburse_loan", None, "copies", {}), "bench", "USD", moved, "Copies")
        await _copy(url, made, copies)
    await database.close()


async def _paid_out(tx: Tx, actor: Actor, n: int, on: date) -> Loan:
    product = await service.product_called(tx, actor, "bench")
    wanted = Wanted(Intake("A borrower", f"borrower-{n}@example.com", MINOR, 12))
    applied = await service.apply(tx, actor, product, wanted)
    now = applied.created_at
    store.insert_offer(tx, Offer(new_id(), applied.id, 1, "{}", sha256(b"{}").digest(), actor.principal_id, now, now))
    loan = agreed(new_id(), product, applied.id, (MINOR, 12), (actor.principal_id, actor.principal_id), now)
    await loan_store.insert_loan(tx, loan)
    move = Move("pot", "borrowers", Money(MINOR, "USD"))
    sent = SendMoney(new_id(), new_id(), (move,), "loan")
    await settle(tx, Ground("disburse_loan", None, loan.name, {}), [sent])
    return await record(tx, loan, Disbursed(on, 1), Cause("disburse_loan", sent.event_id, None, sent.entry_id))


async def _copy(url: str, loan: Loan, copies: int) -> None:
    """Write so many loans like this one."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "bursar"})
    try:
        await connection.execute(
            f"""
            CREATE TEMPORARY TABLE copied AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS application_id
                FROM generate_series(1, {copies});
            INSERT INTO loan_application SELECT (jsonb_populate_record(a, jsonb_build_object(
                    'id', c.application_id, 'email', c.id || '@example.com'))).*
                FROM loan_application a CROSS JOIN copied c WHERE a.id = '{loan.application_id}';
            INSERT INTO loan_application_event SELECT (jsonb_populate_record(a, jsonb_build_object(
                    'application_id', c.application_id))).*
                FROM loan_application_event a CROSS JOIN copied c WHERE a.application_id = '{loan.application_id}';
            INSERT INTO loan_offer SELECT (jsonb_populate_record(o, jsonb_build_object(
                    'id', c.id, 'application_id', c.application_id))).*
                FROM loan_offer o CROSS JOIN copied c WHERE o.application_id = '{loan.application_id}';
            INSERT INTO loan SELECT (jsonb_populate_record(l, jsonb_build_object(
                    'id', c.id, 'application_id', c.application_id))).*
                FROM loan l CROSS JOIN copied c WHERE l.id = '{loan.id}';
            INSERT INTO loan_plan SELECT p.tenant_id, c.id, p.plan, p.closed
                FROM loan_plan p CROSS JOIN copied c WHERE p.loan_id = '{loan.id}';
            INSERT INTO loan_fact SELECT (jsonb_populate_record(f, jsonb_build_object('loan_id', c.id))).*
                FROM loan_fact f CROSS JOIN copied c WHERE f.loan_id = '{loan.id}';
            INSERT INTO loan_accrual SELECT (jsonb_populate_record(n, jsonb_build_object('loan_id', c.id))).*
                FROM loan_accrual n CROSS JOIN copied c WHERE n.loan_id = '{loan.id}';
            DROP TABLE copied;
            """  # noqa: S608 -- ids of our own
        )
    finally:
        await connection.close()


def as_table(report: Report) -> Table:
    """One row."""
    table = Table(title=f"A night of loans, {SCHEDULERS} schedulers")
    for head in ("loans", "seconds", "loans per second", "accrued", "fell due", "overdue"):
        table.add_column(head, justify="right")
    counts = (str(report.accrued), str(report.fell_due), str(report.overdue))
    table.add_row(str(report.loans), f"{report.seconds:.1f}", f"{report.loans / report.seconds:.0f}", *counts)
    return table
