"""Those who ask and those who are told at the same time: what is known of a payment only ever grows."""

import asyncio
import random

import psycopg
import pytest

from bursar.features.payments.ports import OutcomeUnknown, Report
from bursar.features.payments.providers import sandbox_telling as telling
from bursar.features.payments.resolving import resolve_due
from tests.features.payments.counter import Counter, key
from tests.features.payments.lives import BECOMES, KINDS, life

# A status never follows one that stands behind it here.
ONWARD = ("payment.unknown", "payment.processing", "payment.requires_capture", "payment.succeeded")
TURNS = [*range(4), *(pytest.param(turn, marks=pytest.mark.soak) for turn in range(4, 50))]


@pytest.mark.parametrize("turn", TURNS)
async def test_a_resolver_that_races_webhooks_books_once_and_never_goes_back(
    counter: Counter, database_url: str, turn: int
) -> None:
    """The answer is lost; meanwhile all happens, and is asked for twice and told of twice, in whatever order."""
    dice = random.Random(turn)
    bodies: dict[str, str] = {}

    async def after(report: Report) -> Report:
        bodies.update(await life(counter, report))
        early = report._replace(standing="processing")
        bodies["older"] = telling.event_body(
            f"evt_{key()}", "older", counter.tenant.id.hex, early, counter.clock.now
        )  # fmt: skip
        raise OutcomeUnknown

    counter.provider.after = after
    asked = (await counter.pay(capture="manual")).json()
    assert asked["status"] == "unknown"
    counter.clock.pass_by(seconds=60)
    told = [counter.deliver(bodies[kind]) for kind in (*KINDS, "older")]
    told += [counter.deliver(bodies[kind]) for kind in KINDS]
    everybody = [*told, resolve_due(counter.shop), resolve_due(counter.shop)]
    dice.shuffle(everybody)
    await asyncio.gather(*everybody)
    statuses = changes(database_url, asked["id"])
    assert [each for each in ONWARD if each in statuses] == statuses
    await counter.settle(2)
    await counter.deliver(bodies["older"].replace("evt_", "evt_2"))
    paid = await counter.newest()
    assert {name: paid[name] for name in BECOMES} == BECOMES
    assert await counter.balance(counter.tenant.side) == "70.00"
    assert await counter.balance("world:sandbox:USD:disputed") == "120.00"
    statuses = changes(database_url, asked["id"])
    assert ([each for each in ONWARD if each in statuses], statuses[-1]) == (statuses, "payment.succeeded")
    await counter.refuse_difference()


def changes(database_url: str, payment: str) -> list[str]:
    """Every status that the record says the payment has come to, oldest first."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            """SELECT type FROM bursar.event
               WHERE object = %s AND action = 'settle_payment' AND type LIKE 'payment.%%' ORDER BY id""",
            [payment],
        ).fetchall()
    return [kind for (kind,) in rows]
