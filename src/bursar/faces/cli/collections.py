"""`bursar lending collections`: loans that are late, from the machine that holds the database."""

from pathlib import Path
from typing import Any

from bursar.api.routes.collection_shapes import new_mail, show_collection, show_promise, show_reminder
from bursar.core.authority import approvals
from bursar.faces.cli.place import opened
from bursar.features.collections import promise_store, reminding, store
from bursar.features.collections.model import Channel
from bursar.features.collections.reminding import Wanted
from bursar.features.lending import loan_store
from bursar.kernel.ids import read
from bursar.kernel.refusal import UnknownObject

_MOST_LISTED = 500


async def listed(is_open: bool | None, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Loans that are or were late, oldest first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await store.list_collections(tx, None, is_open, None, None, _MOST_LISTED)
        return [
            show_collection(each, await promise_store.list_promises(tx, each.loan.id)).model_dump(mode="json")
            for each in found
        ]


async def shown(loan_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """What was done about one loan."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        known = read("loan", loan_id)
        loan = await loan_store.find_loan(tx, known) if known else None
        if loan is None:
            raise UnknownObject("loan")
        promises = await promise_store.list_promises(tx, loan.id)
        found = await store.list_collections(tx, None, None, loan.id, None, _MOST_LISTED)
        reminders = await store.list_reminders(tx, loan.id, None, _MOST_LISTED)
    return {
        "collections": [show_collection(each, promises).model_dump(mode="json") for each in found],
        "promises": [show_promise(loan, made).model_dump(mode="json") for made in promises],
        "reminders": [show_reminder(made, mail, to_people=True).model_dump(mode="json") for made, mail in reminders],
    }


async def remind(
    operator: str, loan_id: str, template: str, channel: Channel, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Remind the borrower of a loan; the service that runs here sends the mail."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        found = await reminding.ready(tx, actor, Wanted(read("loan", loan_id), template, channel))
        await reminding.keep(tx, actor, found, None, "")
        return show_reminder(found.reminder, new_mail(channel), to_people=True).model_dump(mode="json")
