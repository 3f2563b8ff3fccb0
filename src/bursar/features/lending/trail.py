"""How a change of an application is written: where it stands now, how it came there, and what the record says of it."""

from collections.abc import Mapping
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.features.lending import application_store
from bursar.features.lending.application import Application, EventType
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import show


async def write(tx: Tx, after: Application, type_: EventType, actor_id: UUID | None, body: Mapping[str, Json]) -> None:
    """Write a locked application with what brought it here, for its trail."""
    await application_store.update_application(tx, after)
    application_store.insert_event(tx, after, type_, actor_id, canonical(body))


def told(type_: str, application: Application, **facts: Json) -> Happening:
    """What the record says of it: nothing of the applicant, which the application's own trail keeps."""
    about: dict[str, Json] = {
        "amount": str(application.money),
        "currency": application.currency,
        "product": [application.product, application.product_version],
        "version": application.version,
    }
    return Happening(f"application.{type_}", application.status, {**about, **facts}, show("app", application.id))
