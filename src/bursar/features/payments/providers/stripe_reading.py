"""What Stripe says, read into the port's words: pure, from the JSON of its objects and events."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import orjson

from bursar.features.payments.ports import (
    BalanceTransaction,
    CallKind,
    Effect,
    EffectKind,
    EventMalformed,
    Malformed,
    ProviderEvent,
    Report,
    Standing,
)

Object = Mapping[str, Any]

# Bursar's own key in the metadata of a payment, a refund or a payout.
KEY = "bursar_key"
# In the metadata of a payment, before the key of each capture of it.
CAPTURE = "bursar_"

_INTENT: dict[str, Standing] = {
    "requires_confirmation": "requires_confirmation",
    "requires_action": "requires_action",
    "processing": "processing",
    "requires_capture": "requires_capture",
    "succeeded": "succeeded",
    "canceled": "canceled",
}
_REFUND: dict[str, Standing] = {
    "pending": "processing",
    "requires_action": "processing",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_PAYOUT: dict[str, Standing] = {
    "pending": "processing",
    "in_transit": "processing",
    "paid": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_ENDED = {"won": "dispute_won", "lost": "dispute_lost", "under_review": "dispute_review"}
# Stripe counts these in hundredths, ISO 4217 does not divide them.
COUNTED_OTHERWISE = frozenset({"ISK", "UGX"})


@contextmanager
def readable() -> Generator[None]:
    """What cannot be read is malformed: the answer lacks a member, or has one of another kind."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def currency_of(body: Object) -> str:
    """The currency as Bursar writes it."""
    code: str = body["currency"].upper()
    if code in COUNTED_OTHERWISE:
        raise Malformed(f"{code} is counted otherwise")
    return code


def part(body: Object, name: str) -> Object:
    """A member that is an object; empty where it is none, such as an id that was not expanded."""
    value: Any = body.get(name)
    return cast("Object", value) if isinstance(value, Mapping) else {}


def key_of(body: Object) -> str | None:
    """The key that Bursar gave an object."""
    return part(body, "metadata").get(KEY)


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _id(body: Object, name: str) -> str | None:
    """The id of what a member points at, whether it was expanded or not."""
    return part(body, name).get("id") or body[name]


def intent_report(
    intent: Object, kind: CallKind, key: str | None, effects: Iterable[Effect], *, complete: bool
) -> Report:
    """How a payment stands."""
    problem = part(intent, "last_payment_error")
    standing = _INTENT.get(intent["status"])
    if intent["status"] == "requires_payment_method":
        standing = "failed" if problem else "requires_confirmation"
    if standing is None:
        raise Malformed(f"a payment is {intent['status']}")
    redirect = part(part(intent, "next_action"), "redirect_to_url")
    return Report(
        key,
        kind,
        intent["id"],
        standing,
        intent["amount"],
        currency_of(intent),
        tuple(effects),
        failure_of(problem) if standing == "failed" else None,
        redirect.get("url"),
        complete=complete,
    )


def failure_of(problem: Object) -> str:
    """Why a payment failed, as a short code."""
    return problem.get("decline_code") or problem.get("code") or problem.get("type") or "failed"


def capture_effects(intent: Object, moved: Sequence[Object]) -> list[Effect]:
    """The captures of a payment, from the balance transactions of its charge; each with the key of its call."""
    asked = [
        (name.removeprefix(CAPTURE), amount)
        for name, amount in intent["metadata"].items()
        if name.startswith(CAPTURE) and name != KEY
    ]
    effects: list[Effect] = []
    for one in sorted(moved, key=lambda each: each["created"]):
        # Captures of the same amount are alike, so any of their keys will do.
        named = next((pair for pair in asked if pair[1] == str(one["amount"])), None)
        key = key_of(intent) if intent["capture_method"] != "manual" else named and named[0]
        if named:
            asked.remove(named)
        effects.append(_effect(one, "capture", key, intent["id"]))
    return effects


def _effect(moved: Object, kind: EffectKind, key: str | None, about: str | None) -> Effect:
    return Effect(
        moved["id"],
        kind,
        abs(moved["amount"]),
        currency_of(moved),
        max(moved["fee"], 0),
        key,
        about,
        _at(moved["created"]),
    )


def refund_effects(refund: Object) -> list[Effect]:
    """What a refund did to the balance; one that only let go of what was authorized did nothing."""
    effects: list[Effect] = []
    members: list[tuple[str, EffectKind]] = [
        ("balance_transaction", "refund"),
        ("failure_balance_transaction", "refund_failed"),
    ]
    for member, kind in members:
        moved = part(refund, member)
        if moved:
            effects.append(_effect(moved, kind, key_of(refund), refund["id"]))
        elif refund[member]:
            # Stripe takes no fee for a refund, so its id says enough.
            effects.append(
                Effect(refund[member], kind, refund["amount"], currency_of(refund), 0, key_of(refund), refund["id"])
            )
    return effects


def refund_report(refund: Object, *, complete: bool = True) -> Report:
    """How a refund stands."""
    standing = _REFUND.get(refund["status"])
    if standing is None:
        raise Malformed(f"a refund is {refund['status']}")
    failure = (refund["failure_reason"] or "failed") if standing == "failed" else None
    return Report(
        key_of(refund), "refund", refund["id"], standing, refund["amount"], currency_of(refund),
        tuple(refund_effects(refund)), failure, None, complete, _id(refund, "payment_intent"),
    )  # fmt: skip


def dispute_effects(dispute: Object) -> list[Effect]:
    """What a dispute did: withdrawn at first, given back when it is won; an inquiry moves nothing."""
    about, effects = dispute["id"], list[Effect]()
    for moved in dispute["balance_transactions"]:
        effects.append(_effect(moved, "dispute" if moved["amount"] < 0 else "dispute_won", None, about))
        if moved["fee"] < 0:
            # A fee that comes back is money of its own.
            effects.append(
                Effect(f"{moved['id']}:fee", "adjustment", -moved["fee"], currency_of(moved), 0, None, about)
            )
    kind: Any = _ENDED.get(dispute["status"])
    if effects and kind in ("dispute_lost", "dispute_review"):
        name = f"{about}:{dispute['status']}"
        effects.append(Effect(name, kind, dispute["amount"], currency_of(dispute), 0, None, about))
    return effects


def payout_report(payout: Object) -> Report:
    """How a payout stands."""
    standing = _PAYOUT.get(payout["status"])
    if standing is None:
        raise Malformed(f"a payout is {payout['status']}")
    amount, currency, key = payout["amount"], currency_of(payout), key_of(payout)
    about, failed = payout["id"], _id(payout, "failure_balance_transaction")
    named: list[tuple[str | None, EffectKind]] = [
        (_id(payout, "balance_transaction"), "payout"),
        (f"{about}:paid" if payout["status"] == "paid" else None, "payout_paid"),
        (failed, "payout_failed"),
    ]
    effects = tuple(Effect(name, kind, amount, currency, 0, key, about) for name, kind in named if name)
    failure = (payout["failure_code"] or payout["status"]) if standing == "failed" else None
    return Report(key, "payout", about, standing, amount, currency, effects, failure)


def row_of(moved: Object) -> BalanceTransaction:
    """A balance transaction, with the effect that it is; its source must be expanded."""
    return BalanceTransaction(
        moved["id"],
        moved["type"],
        moved["net"],
        moved["fee"],
        currency_of(moved),
        _at(moved["created"]),
        _of_row(moved),
    )


def _of_row(moved: Object) -> Effect | None:
    source = part(moved, "source")
    match moved["type"], source.get("object"):
        case "charge", "charge":
            return _effect(moved, "capture", None, _id(source, "payment_intent"))
        case ("refund" | "refund_failure") as kind, "refund":
            return _effect(moved, "refund" if kind == "refund" else "refund_failed", key_of(source), source["id"])
        case "adjustment", "dispute":
            return _effect(moved, "dispute" if moved["amount"] < 0 else "dispute_won", None, source["id"])
        case "payout", "payout":
            return _effect(moved, "payout", key_of(source), source["id"])
        case "payout_failure" | "payout_cancel", "payout":
            return _effect(moved, "payout_failed", key_of(source), source["id"])
        case _:
            return None


def read_event(body: bytes) -> ProviderEvent:
    """An event whose signature has been looked at; of a kind that tells nothing new it has no report."""
    try:
        event = orjson.loads(body)
        if event["object"] != "event" or not isinstance(event["id"], str) or not 0 < len(event["id"]) <= 200:
            raise EventMalformed("this is no event")
        report = _told(event["type"], event["data"]["object"])
        return ProviderEvent(event["id"], event["type"], _at(event["created"]), event.get("account"), report)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, Malformed) as error:
        raise EventMalformed(type(error).__name__) from error


def _told(kind: str, body: Object) -> Report | None:
    """Of what an event tells; events of charges are told by those of payments and refunds too."""
    family = kind.rpartition(".")[0]
    if family == "payment_intent" and kind != "payment_intent.created":
        return intent_report(body, "charge", key_of(body), (), complete=False)
    if family == "refund":
        return refund_report(body) if refund_effects(body) or key_of(body) else None
    if family == "payout":
        return payout_report(body)
    if family == "charge.dispute" and body["payment_intent"]:
        effects = tuple(dispute_effects(body))
        return _disputed(body, effects) if effects else None
    return None


def _disputed(dispute: Object, effects: tuple[Effect, ...]) -> Report:
    """A disputed payment had succeeded; its own amount is not told here, the disputed one is."""
    payment = _id(dispute, "payment_intent")
    assert payment
    return Report(None, "charge", payment, "succeeded", dispute["amount"], currency_of(dispute), effects)
