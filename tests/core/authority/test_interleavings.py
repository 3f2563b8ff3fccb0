"""Whatever order the statements of a payment and of a change come in, nothing is paid that the change forbids."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import comb
from random import Random
from typing import Any, NamedTuple

import psycopg
import pytest

from bursar.kernel.refusal import Refusal
from tests.core.authority import interleavings as deeds
from tests.core.authority.copies import Copies
from tests.core.authority.interleavings import (
    ALL,
    ALONE,
    ASKED,
    Deed,
    NothingToDo,
    Refused,
    Stage,
    World,
    bring_to,
    build,
    freeze,
)
from tests.core.authority.orders import Abandoned, Exploration, normal_form, preemptions
from tests.core.authority.stepping import Choose, Played, Step, Stepper, Work
from tests.stories import Story


class Change(NamedTuple):
    """What happens beside a payment; once it is committed it `forbids` the payment, or takes what that needs."""

    do: Deed
    forbids: bool = True
    known: bool = True
    role: str = "bursar_app"


RANDOM_ORDERS = 200
# What a work may come to beside its end: somebody's refusal.
EXPECTED = (Refusal, Refused, NothingToDo)
CHANGES = {
    "the limit is lowered": Change(deeds.lower_the_limit),
    "the limit is raised": Change(deeds.raise_the_limit),
    "the mandate is revoked": Change(deeds.revoke),
    "the payee is blocked": Change(deeds.block_the_payee),
    "the payee is entered": Change(deeds.enter_the_payee, known=False),
    "the payee's account is closed": Change(deeds.close_the_payee),
    "the agent is frozen": Change(freeze("agent")),
    "the mandate is frozen": Change(freeze("mandate")),
    "the account is frozen": Change(freeze("account")),
    "the tenant is frozen": Change(freeze("tenant")),
    "the approver loses the role": Change(deeds.take_the_role),
    "the time is over": Change(deeds.run_out, role="bursar_worker"),
    "it is rejected": Change(deeds.reject),
    "it is cancelled": Change(deeds.cancel),
    "another payment wants the window": Change(deeds.pay_from_the_window),
    "another payment wants the funds": Change(deeds.pay_from_the_funds),
    "another worker carries it out": Change(deeds.execute, forbids=False, role="bursar_worker"),
    "the key is revoked": Change(deeds.revoke_the_key),
}


class Payment(NamedTuple):
    """A payment at the stage that it begins at; `role` is that of whoever does it."""

    stage: Stage
    do: Deed
    role: str
    but: frozenset[str]

    @property
    def minor(self) -> int:
        return ALONE if self.stage == "nothing" else ASKED


_OF_APPROVALS = frozenset(
    {"the approver loses the role", "the time is over", "it is rejected", "it is cancelled",
     "another worker carries it out", "the payee is entered", "the limit is raised"}
)  # fmt: skip
PAYMENTS = {
    "carried out": Payment("approved", deeds.execute, "bursar_worker", frozenset({"the key is revoked"})),
    "approved": Payment("pending", deeds.approve, "bursar_app", frozenset({"the key is revoked"})),
    "made alone": Payment("nothing", deeds.pay_alone, "bursar_app", _OF_APPROVALS),
}
PAIRS = [(p, c) for p, payment in PAYMENTS.items() for c in CHANGES if c not in payment.but]


class Found(NamedTuple):
    """What the database says of a world, amounts in minor units; `status` and `executed` of the approval."""

    received: int
    funds: int
    held: int
    used: int
    uses: int
    entries: int
    status: str | None
    executed: bool


_LOOK = """SELECT b.posted_minor, a.posted_minor, a.held_minor,
        (SELECT coalesce(sum(amount_minor), 0)::bigint FROM limit_usage u WHERE u.tenant_id = a.tenant_id),
        (SELECT coalesce(sum(uses), 0)::bigint FROM limit_usage u WHERE u.tenant_id = a.tenant_id),
        (SELECT count(*) FROM posting p WHERE p.tenant_id = a.tenant_id AND p.target_id = b.id),
        p.status, p.executed_event_id IS NOT NULL
    FROM account a JOIN account b ON b.tenant_id = a.tenant_id AND b.number = 'bob'
    LEFT JOIN approval p ON p.tenant_id = a.tenant_id
    WHERE a.tenant_id = %s AND a.number = 'alice'"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A payment and a change, to be played in any order, each time in a world of its own."""

    payment: Payment
    change: Change
    world: World
    copies: Copies
    stepper: Stepper
    looking: psycopg.Connection[Any]

    async def play(self, choose: Choose) -> Played:
        """Play one order and see that all is well after it."""
        world = self.copies.of(self.world)
        deeds_of = (self.payment.do, self.change.do)
        works: list[Work] = [lambda database, do=do: do(world.on(database)) for do in deeds_of]
        played = await self.stepper.play(works, choose)
        assert not played.deadlocks, f"A deadlock:\n{played}"
        for result in played.results:
            assert not isinstance(result, Exception) or isinstance(result, EXPECTED), f"{result!r}:\n{played}"
        if self.payment.stage == "pending":
            await deeds.execute(world)
        row = self.looking.execute(_LOOK, [world.tenant_id]).fetchone()
        assert row
        problem = self._wrong(played, Found(*row))
        assert not problem, f"{problem}: {row}, {played.results}\n{played}"
        return played

    def _wrong(self, played: Played, found: Found) -> str | None:
        """What cannot be, the order of the commits being what it was; None when all is well."""
        refused, changed = (isinstance(result, Exception) for result in played.results)
        changed = not changed
        # What was only approved is carried out after both.
        first = self.payment.stage == "pending" or played.commits[0] == 1
        paid = not (self.change.forbids and changed and first)
        rival = changed and self.change.do in (deeds.pay_from_the_window, deeds.pay_from_the_funds)
        minor, others = (self.payment.minor if paid else 0), (ALONE if rival else 0)
        if found.received != minor + others:
            return "It was paid" if not paid else "It was not paid"
        if found.funds != ALL - minor - others or found.entries != bool(minor) + bool(others):
            return "The books do not agree"
        waits = self.change.do is deeds.take_the_role and refused and self.payment.stage == "pending"
        held = ASKED if waits else 0
        used = minor + held + (others if self.change.do is deeds.pay_from_the_window else 0)
        if (found.used, found.uses, found.held) != (used, bool(used), held):
            return "Something stays set aside, or is not counted"
        ended = found.status in ("rejected", "expired", "cancelled", "superseded")
        if self.payment.stage != "nothing" and (found.executed, ended) != (paid, not paid and not waits):
            return "The approval says something else"
        return None


class Theatre:
    """Makes scenes of payments and changes, all from copies of one tenant."""

    def __init__(self, base: World, connection: psycopg.Connection[Any], database_url: str) -> None:
        self._base, self._connection, self._url = base, connection, database_url
        self._copies = Copies(connection)
        self._worlds: dict[tuple[Stage, bool], World] = {}

    @asynccontextmanager
    async def scene(self, payment: str, change: str) -> AsyncGenerator[Scene]:
        one, other = PAYMENTS[payment], CHANGES[change]
        if (one.stage, other.known) not in self._worlds:
            fresh = self._copies.of(self._base).on(self._base.office.database)
            self._worlds[one.stage, other.known] = await bring_to(fresh, one.stage, known=other.known)
        world = self._worlds[one.stage, other.known]
        async with Stepper.open(self._url, (one.role, other.role)) as stepper:
            yield Scene(one, other, world, self._copies, stepper, self._connection)


@pytest.fixture
async def theatre(story: Story, database_url: str) -> AsyncGenerator[Theatre]:
    """A place to play in."""
    with psycopg.connect(database_url, autocommit=True, options="-c search_path=bursar") as connection:
        yield Theatre(await build(story), connection, database_url)


# Every order of every pair is played in the soak.
@pytest.mark.parametrize("payment", ["carried out"])
async def test_a_change_that_comes_between_any_two_statements_lets_nothing_forbidden_be_paid(
    theatre: Theatre, payment: str
) -> None:
    """Each of the two goes on alone for any number of statements before the other does."""
    for change in (change for paid, change in PAIRS if paid == payment):
        async with theatre.scene(payment, change) as scene:
            played = [await scene.play(choose) for choose in preemptions()]
        assert {each.commits[0] for each in played} == {0, 1}, change
        # Who votes shares no row with some of them.
        assert payment == "approved" or any(each.waits for each in played), change


@pytest.mark.soak
@pytest.mark.parametrize(("payment", "change"), PAIRS)
async def test_no_order_of_all_the_statements_lets_anything_forbidden_be_paid(
    theatre: Theatre, payment: str, change: str
) -> None:
    """Every order, but for those that differ only in what commutes."""
    async with theatre.scene(payment, change) as scene:
        played, there_are = await explore(scene)
    print(f"{payment}, {change}: {played} orders stand for {there_are:,}")  # noqa: T201 -- shown by -s, to be told


async def explore(scene: Scene) -> tuple[int, int]:
    """Play all; how many orders that were, and how many there are. Any order at random is like one of them."""
    seen: set[tuple[tuple[Step, ...], ...]] = set()
    lengths: set[tuple[int, int]] = set()
    whole = 0
    for choose in Exploration().orders():
        with suppress(Abandoned):
            played = await scene.play(choose)
            whole += 1
            seen.add(normal_form(played.steps))
            lengths.add(played.lengths)
    assert len(seen) == whole
    dice = Random(7)
    for _ in range(RANDOM_ORDERS):
        played = await scene.play(lambda ready: dice.randrange(len(ready)))
        assert normal_form(played.steps) in seen
    return whole, max(comb(one + other, one) for one, other in lengths)
