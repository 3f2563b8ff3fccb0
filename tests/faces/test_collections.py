"""Collections from the command line: listed, shown, and a reminder sent by an operator."""

import json
from datetime import timedelta

import pytest

from bursar import worker
from bursar.faces.cli import collections
from bursar.faces.cli.collection_commands import collections_app
from bursar.faces.cli.place import tenant_id_of
from bursar.features.collections.model import ContactNotAllowed
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import UnknownObject
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.lending.applying import lender_of
from tests.features.lending.borrowing import borrowed, today

ANY_TIME = {"start": "00:00", "end": "24:00", "most": 1, "days": 7}


async def test_what_is_late_is_listed_reminded_of_and_shown(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with served(database) as app, client_of(app) as client:
        tenant = await enrol(database, client, "main", tenant_id_of("main"))
        lender = await lender_of(database, client, tenant)
        await lender.ok("operator", "/contact-rules", ANY_TIME)
        loan = (await borrowed(lender, today() - timedelta(days=45), email="avery@example.com"))["id"]
    workers = await Database.open(database_url, role="bursar_worker", connections=2)
    for task in (worker.pass_nights, worker.follow_late_loans):
        await task(workers)
    await workers.close()
    (found,) = await collections.listed(None, None, None)
    assert (found["loan_id"], found["status"], found["reminders"]) == (loan, "open", 0)
    assert await collections.listed(False, None, None) == []
    made = await collections.remind("operator", loan, "payment_overdue", "email", None, None)
    assert (made["to"], made["mail"]["status"]) == ("avery@example.com", "pending")
    with pytest.raises(ContactNotAllowed, match="at most 1 times"):
        await collections.remind("operator", loan, "payment_overdue", "email", None, None)
    shown = await collections.shown(loan, None, None)
    assert ([made], [], 1) == (shown["reminders"], shown["promises"], shown["collections"][0]["reminders"])
    with pytest.raises(UnknownObject, match="loan"):
        await collections.shown(f"loan_{new_id().hex}", None, None)


def test_the_commands_take_their_options() -> None:
    for line in (
        "list --is-open",
        "show loan_0",
        "remind loan_0 --template second_notice --channel email --operator o",
    ):
        command, bound, _ = collections_app.parse_args(line, exit_on_error=False, print_error=False)
        assert command
        assert json.dumps(bound.arguments, default=str)
