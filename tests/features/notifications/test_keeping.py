"""Deliveries that are over are kept for a time and then deleted with their attempts; nothing else ever is."""

import psycopg

from bursar.core.events import service as events
from bursar.features.cases import service as cases
from bursar.features.cases.model import Wanted
from bursar.features.notifications.keeping import forget_old
from bursar.kernel.ids import show
from tests.features.notifications.dispatchers import url_of
from tests.features.notifications.receivers import listening, plain
from tests.features.notifications.tellers import Teller


def age(database_url: str, days: int) -> None:
    """Everything that is over was so that many days ago."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE bursar.webhook_delivery SET ended_at = ended_at - make_interval(days => %s)", [days]
        )  # fmt: skip


def attempts(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        (found,) = connection.execute("SELECT count(*) FROM bursar.webhook_attempt").fetchone() or (0,)
        return found


async def test_what_is_over_long_enough_is_deleted_and_never_sent_again(teller: Teller, database_url: str) -> None:
    async with listening(plain(200)) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened(*["a.fact"] * 3)
        await teller.follow()
        dispatcher = teller.dispatcher()
        while await dispatcher.serve_once(teller.tenant_id, endpoint):
            pass
        await teller.happened("a.later_fact")
        await teller.follow()
        assert attempts(database_url) == 3
        age(database_url, 29)
        await forget_old(teller.worker, 30)
        assert len(await teller.deliveries()) == 4
        age(database_url, 2)
        await forget_old(teller.worker, 30)
        # What has yet to be sent stays, however old; and so do the events.
        (left,) = await teller.deliveries()
        assert (left.status, attempts(database_url)) == ("pending", 0)
        await teller.follow()
        assert len(await teller.deliveries()) == 1
        async with teller.database.transaction(teller.tenant_id, read_only=True) as tx:
            told = await events.read(tx, events.Filter(action="act"), None, 10)
        assert len(told) == 4


async def test_an_endpoint_that_is_disabled_for_failing_has_a_case(teller: Teller) -> None:
    async with listening(plain(410)) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        assert await teller.dispatcher().serve_once(teller.tenant_id, endpoint)
    async with teller.database.transaction(teller.tenant_id, read_only=True) as tx:
        (case,) = await cases.list_all(tx, Wanted(None, None, None, None), None, 10)
        (note,) = await cases.list_notes(tx, case.id, None, 10)
    assert (case.kind, case.subject.kind) == ("webhook_disabled", "webhook_endpoint")
    assert case.subject.id == show("whe", endpoint)
    assert note.text == (await teller.standing(endpoint)).endpoint.status_why
