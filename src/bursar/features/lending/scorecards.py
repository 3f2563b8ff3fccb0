"""The verbs of scorecards: draft, activate, retire; and which one a product goes by."""

import re
from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from bursar.core.authority.switches import OperatorNeeded
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.features.lending import scorecard_store
from bursar.features.lending.catalog import Product
from bursar.features.lending.scorecard import Card, find_card, read_card
from bursar.features.lending.scorecard_store import Standing, Status
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Conflict, InvalidArgument, Retry, UnknownObject

_NAME = re.compile(r"([a-z][a-z0-9_-]{0,31})-([1-9][0-9]{0,6})")
# From where a version may be brought there. What is retired may come back: that is how one goes back a version.
_FROM: Mapping[Status, tuple[Status, ...]] = {"active": ("draft", "retired"), "retired": ("draft", "active")}
_WORDS: Mapping[Status, str] = {"draft": "a draft", "active": "active", "retired": "retired"}


class ScorecardConflict(Conflict):
    """The version of the scorecard does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read where the versions stand with GET /v1/scorecards."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was changed and no money moved."


def refuse_others(actor: Actor) -> None:
    """Only people say what makes a good borrower."""
    if actor.kind != "operator":
        raise OperatorNeeded("Scorecards are the matter of an operator.")


async def draft(tx: Tx, operator_id: UUID, text: str) -> Standing:
    """Keep a new version; it scores nobody yet. A version is never edited, so its number must be new."""
    card = read_card(text)
    if not await _insert(tx, card, operator_id):
        raise ScorecardConflict(f"There is a scorecard {card.scorecard} already.")
    return await _locked(tx, card.scorecard)


async def ship(tx: Tx, operator_id: UUID) -> None:
    """Keep the card that comes with Bursar and have it score, where it is not there yet."""
    card = find_card(None)
    if await _insert(tx, card, operator_id):
        standing = await become(tx, operator_id, card.scorecard, "active")
        events.record(tx, [event_of(new_id(), None, "", "open_sandbox", told(standing))])


async def become(tx: Tx, operator_id: UUID, scorecard: str, status: Status) -> Standing:
    """Activate or retire a version: decisions that commit later go by it, and those under way are waited for."""
    found = await _locked(tx, scorecard)
    if found.status not in _FROM[status]:
        raise ScorecardConflict(f"The scorecard {scorecard} is {_WORDS[found.status]}.")
    await scorecard_store.mark(tx, found.name, found.version, status, operator_id)
    return await _locked(tx, scorecard)


async def _insert(tx: Tx, card: Card, operator_id: UUID) -> bool:
    kept, digest = canonical(card.model_dump()), bytes.fromhex(card.digest)
    return await scorecard_store.insert_draft(tx, card.name, card.version, kept, digest, operator_id)


async def _locked(tx: Tx, scorecard: str) -> Standing:
    known = _NAME.fullmatch(scorecard)
    found = await scorecard_store.lock_version(tx, known[1], int(known[2])) if known else None
    if found is None:
        raise UnknownObject("scorecard")
    return found


def told(standing: Standing) -> Happening:
    """What the record says of a version that stands somewhere now."""
    facts: dict[str, Json] = {"card_sha256": standing.card_hash.hex(), "scorecard": name_of(standing)}
    return Happening(f"scorecard.{standing.status}", standing.status, facts)


def name_of(standing: Standing) -> str:
    """What a version is called."""
    return f"{standing.name}-{standing.version}"


async def refuse_card(tx: Tx, product: Product) -> None:
    """Refuse a product whose scorecard is not there, or scores statements in another currency."""
    card, _ = await card_of(tx, product)
    if card and card.currency != product.currency:
        raise InvalidArgument("policy.scorecard", f"is in {card.currency}, not {product.currency}")


async def card_of(tx: Tx, product: Product) -> tuple[Card | None, bool]:
    """The card that a product names, if it names one, and whether it is active: it stays so until the end of this."""
    scorecard = product.facts["policy"].get("scorecard")
    return await named(tx, scorecard) if scorecard else (None, False)


async def named(tx: Tx, scorecard: str) -> tuple[Card, bool]:
    """A version by its name, and whether it is active."""
    known = _NAME.fullmatch(scorecard)
    found = await scorecard_store.share_version(tx, known[1], int(known[2])) if known else None
    if found is None:
        raise UnknownObject("scorecard")
    return read_card(found.card), found.status == "active"
