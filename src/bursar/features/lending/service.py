"""The verbs of products and applications that decide nothing: make, apply, change, submit, withdraw, read."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.outcomes import UnknownAccount
from bursar.features.lending import application as model
from bursar.features.lending import application_store, catalog, ending, scorecards, store
from bursar.features.lending.application import OVER, Application, ApplicationConflict, DuplicateApplication, Intake
from bursar.features.lending.catalog import QUICK, QUICK_TERMS, Product, Version
from bursar.features.lending.quoting import terms_of
from bursar.features.lending.trail import write
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import InvalidArgument, UnknownObject

# Whoever finds a number taken in that moment takes the next; nobody writes so many versions in between.
_ATTEMPTS = 5


class Wanted(NamedTuple):
    """An application as it is asked for; `decider` names the agent that decides, None is whoever asks."""

    intake: Intake
    decider: str | None = None
    follows: UUID | None = None


async def make_product(tx: Tx, actor: Actor, code: str, terms: Mapping[str, Json]) -> Version:
    """Keep a new version of a product; applications that are there go by the version they were made for."""
    if code == QUICK:
        raise InvalidArgument("code", "is the product that comes with Bursar")
    made = Product(code, 1, canonical(terms))
    catalog.refuse_terms(made)
    terms_of(made)  # It refuses what makes no loan.
    await _refuse_account(tx, made)
    await scorecards.refuse_card(tx, made)
    return await _keep(tx, actor, made)


async def _refuse_account(tx: Tx, product: Product) -> None:
    found = await accounts.ids_of(tx, [product.account])
    if product.account not in found:
        raise UnknownAccount("account")
    account = await reading.find_account(tx, product.account)
    if account.currency != product.currency:
        raise InvalidArgument("account", f"is in {account.currency}, not {product.currency}")


async def _keep(tx: Tx, actor: Actor, made: Product) -> Version:
    for _ in range(_ATTEMPTS):
        version = await store.insert_product(tx, made.code, made.terms, made.hash, actor.principal_id)
        if version:
            return Version(made._replace(version=version), actor.principal_id, await reading.clock(tx))
    raise ApplicationConflict("Versions of this product are made faster than they can be numbered.")


async def quick_product(tx: Tx, actor: Actor) -> Product:
    """The product of those who name none, kept when it is first used, with the account that it pays from."""
    found = await store.find_product(tx, QUICK)
    if found:
        return found
    quick = Product(QUICK, 1, QUICK_TERMS)
    if quick.account not in await accounts.ids_of(tx, [quick.account]):
        await accounts.open_many(tx, [OpenAccount(quick.account, "Loans to pay out", quick.currency)])
    return (await _keep(tx, actor, quick)).product


async def product_of(tx: Tx, application: Application) -> Product:
    """The version of the product that an application goes by."""
    found = await store.find_product(tx, application.product, application.product_version)
    assert found
    return found


async def product_called(tx: Tx, actor: Actor, code: str) -> Product:
    """The latest version of a product."""
    found = await quick_product(tx, actor) if code == QUICK else await store.find_product(tx, code)
    if found is None:
        raise UnknownObject("loan product")
    return found


async def apply(tx: Tx, actor: Actor, product: Product, wanted: Wanted) -> Application:
    """Take in an application, a draft; an e-mail has one at a time."""
    now, decider_id = await reading.clock(tx), await _decider(tx, actor, wanted.decider)
    made = model.begun(new_id(), actor, decider_id, product, wanted.intake, wanted.follows, now)
    if wanted.follows:
        await _follow(tx, actor, made, wanted.follows)
    if not await application_store.insert_application(tx, made):
        earlier = await application_store.find_latest(tx, made.intake.known_by)
        assert earlier
        raise DuplicateApplication(earlier)
    application_store.insert_event(tx, made, "created", actor.principal_id, made.intake.text)
    return made


async def _decider(tx: Tx, actor: Actor, name: str | None) -> UUID:
    if name is None:
        return actor.principal_id
    found = await identity.find_principal_named(tx, name)
    if found is None or found.kind == "operator":
        raise InvalidArgument("decider", "is no agent of this tenant; operators may decide every application")
    return found.id


async def _follow(tx: Tx, actor: Actor, made: Application, earlier_id: UUID) -> None:
    earlier = await locked(tx, actor, earlier_id)
    if earlier.intake.known_by != made.intake.known_by:
        raise InvalidArgument("follows", "is the application of another e-mail")
    if earlier.status not in OVER:
        raise DuplicateApplication(earlier.id)
    await application_store.mark_followed(tx, earlier.id)


async def change(
    tx: Tx, actor: Actor, application_id: UUID | None, version: int, changes: Mapping[str, Any]
) -> Application:
    """Enter other facts; what was there before stays in the trail."""
    found = await _at_hand(tx, actor, application_id, version)
    after = model.changed(found, await product_of(tx, found), changes, await reading.clock(tx))
    said = {name: getattr(after.intake, name) for name in changes}
    await write(tx, after, "changed", actor.principal_id, said)
    return after


async def submit(tx: Tx, actor: Actor, application_id: UUID | None, version: int | None) -> Application:
    """Ready to be decided."""
    found = await _at_hand(tx, actor, application_id, version)
    after = model.submitted(found, await product_of(tx, found), await reading.clock(tx))
    await write(tx, after, "submitted", actor.principal_id, {})
    return after


async def withdraw(
    tx: Tx, actor: Actor, application_id: UUID | None, version: int | None, reason: str | None
) -> Application:
    """The applicant no longer wants it; what waits for an approval is superseded, and nobody decides it any more."""
    found = await locked(tx, actor, application_id)
    model.refuse_stale(found, version)
    model.refuse_expired(found, await reading.clock(tx))
    after = model.moved(found, "withdrawn", await reading.clock(tx))
    await ending.end_what_waits(tx, found, "The application was withdrawn.", actor)
    await write(tx, after, "withdrawn", actor.principal_id, {"reason": reason})
    return after


async def _at_hand(tx: Tx, actor: Actor, application_id: UUID | None, version: int | None) -> Application:
    found = await locked(tx, actor, application_id)
    model.refuse_stale(found, version)
    model.refuse_expired(found, await reading.clock(tx))
    return found


async def locked(tx: Tx, actor: Actor, application_id: UUID | None) -> Application:
    """An application that this actor may see, locked."""
    return visible(actor, await application_store.lock_application(tx, application_id) if application_id else None)


async def find(tx: Tx, actor: Actor, application_id: UUID | None) -> Application:
    """An application that this actor may see."""
    return visible(actor, await application_store.find_application(tx, application_id) if application_id else None)


def visible(actor: Actor, found: Application | None) -> Application:
    """Agents see what they made or decide; all else answers as what is not there."""
    mine = found and actor.principal_id in (found.made_by, found.decider_id)
    if found is None or (actor.kind == "agent" and not mine):
        raise UnknownObject("application")
    return found
