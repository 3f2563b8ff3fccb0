"""What people must look at: a case for each payment and reason, opened once."""

from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.payments.model import PREFIX
from bursar.kernel.db import Tx


async def open_for(tx: Tx, kind: str, name: str, note: str) -> None:
    """Open a case about a payment, refund or payout by its id on the wire, unless one of this kind is open."""
    kinds = {prefix: about for about, prefix in PREFIX.items()}
    subject = kinds.get(name.partition("_")[0], "payment")
    await cases.open_case(tx, kind, Subject(subject, name), note)


async def open_about_event(tx: Tx, provider: str, event_id: str, kind: str) -> None:
    """Open a case about something a provider told us that is about nothing we know."""
    note = f"{provider} told of {kind}, which is about nothing that is known here."
    await cases.open_case(tx, "event_unmatched", Subject("provider_event", f"{provider}:{event_id}"[:200]), note)
