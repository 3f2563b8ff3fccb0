"""A loan that is late gets a collection with its job, once, and that ends when there is nothing to collect."""

from uuid import UUID

from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.ledger import reading
from bursar.features.collections import store
from bursar.features.collections.model import Collection, Ending, standing_of
from bursar.features.jobs import going_on
from bursar.features.jobs import service as jobs
from bursar.features.lending import loan_store
from bursar.features.lending.loan import Loan
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show

DEFINITION = "collection"
_ACTION = "follow_late_loans"
# Why there is nothing to collect.
WHY: dict[Ending, str] = {
    "paid": "Nothing of the loan is overdue.",
    "paused": "The loan is paused.",
    "charged_off": "The loan is charged off.",
    "written_off": "The loan is written off.",
}


async def follow(tx: Tx, loan_id: UUID) -> bool:
    """Open or end the collection of a loan, as it stands; False: it is not paid out yet."""
    loan = await loan_store.lock_loan(tx, loan_id)
    if loan is None or loan.status == "pending":
        return False
    await followed(tx, loan)
    return True


async def followed(tx: Tx, loan: Loan) -> Collection | None:
    """The collection that a locked loan is in, which is opened or ended if it does not stand so yet."""
    found, standing = await store.find_open(tx, loan.id), standing_of(loan)
    now = await reading.clock(tx)
    if standing == "late":
        return found or await _open(tx, loan, Collection(new_id(), loan.id, new_id(), now, None, None))
    if found:
        ended = found._replace(ended_at=now, ended_as=standing)
        await store.end_collection(tx, ended)
        await going_on.give_up(tx, found.job_id, WHY[standing])
        _record(tx, ended, loan, "ended", standing)
    return None


async def _open(tx: Tx, loan: Loan, made: Collection) -> Collection:
    """A job is begun in the name of whoever made the product: it is by its terms that the loan is late."""
    maker = await store.find_maker(tx, loan.product, loan.product_version)
    await jobs.begin(tx, DEFINITION, made.job_id, maker, loan.currency, loan.name)
    await store.insert_collection(tx, made)
    _record(tx, made, loan, "opened", "open")
    return made


def _record(tx: Tx, made: Collection, loan: Loan, type_: str, outcome: str) -> None:
    facts: dict[str, Json] = {"bucket": loan.bucket, "job": show("job", made.job_id), "loan": loan.name}
    happening = Happening(f"collection.{type_}", outcome, facts, show("col", made.id))
    events.record(tx, [event_of(new_id(), None, "", _ACTION, happening)])
