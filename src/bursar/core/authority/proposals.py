"""Orders that wait for a person: written down so that what is approved is what is carried out, to the byte."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bursar.core.authority.facts import Payee
from bursar.core.authority.mandate import Mandate
from bursar.core.ledger.orders import (
    CaptureHold,
    Claims,
    ExpireHold,
    Move,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Undertake,
)
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money, show_minor


def payload_of(
    action: str, order: SingleOrder, source_id: UUID, payee: Payee | None, money: Money, chain: Sequence[Mandate]
) -> str:
    """Everything an approval is bound to, as canonical JSON: the order, the counterparty, the mandates' versions."""
    assert not isinstance(order, ReleaseHold | ExpireHold), "nothing is paid"
    return canonical(
        {
            "action": action,
            "amount_minor": money.minor,
            "counterparty": [payee.counterparty_id.hex, payee.version]
            if payee and payee.counterparty_id and payee.version
            else None,
            "currency": money.currency,
            "mandates": [[mandate.id.hex, mandate.version] for mandate in chain],
            "order": _order(order),
            "rail": order.claims.rail,
            "source_id": source_id.hex,
            "target_id": payee.account_id.hex if payee else None,
            "whom_id": order.claims.whom_id.hex if order.claims.whom_id else None,
        }
    )


def _order(order: SingleOrder) -> dict[str, Json]:
    """What the payment's own fields do not say."""
    match order:
        case SendMoney():
            at = order.effective_at.isoformat() if order.effective_at else None
            sent: dict[str, Json] = {"description": order.description, "metadata": dict(order.metadata), "at": at}
            # What was asked for before there were loans says nothing of it.
            return {"kind": "send", **sent, **({} if order.kind == "transfer" else {"entry": order.kind})}
        case PlaceHold():
            until = order.expires_at.isoformat() if order.expires_at else None
            held: dict[str, Json] = {"description": order.description, "metadata": dict(order.metadata), "until": until}
            return {"kind": "hold", **held, **_owner(order)}
        case Undertake():
            # What was asked for before there were loans says nothing of it.
            loan: dict[str, Json] = {} if order.subject == "payment" else {"subject": "loan", "counts": order.counts}
            return {"kind": "undertake", "description": order.description, **loan}
        case CaptureHold():
            return {"kind": "capture", "hold_id": order.hold_id.hex, **_owner(order)}
        case ReverseEntry():
            return {"kind": "reverse", "reverses_id": order.reverses_id.hex, "description": order.description}
        case _:
            raise AssertionError("nothing is paid")


def _owner(order: PlaceHold | CaptureHold) -> dict[str, Json]:
    return {"owner_id": order.owner_id.hex} if order.owner_id else {}


def order_of(payload: Mapping[str, Any], event_id: UUID) -> SingleOrder:
    """The order again, with ids of its own."""
    order, money = payload["order"], Money(payload["amount_minor"], payload["currency"])
    source_id, target_id = UUID(payload["source_id"]), _uuid(payload["target_id"])
    claims = Claims(rail=payload["rail"], whom_id=_uuid(payload["whom_id"]))
    match order["kind"]:
        case "send":
            assert target_id
            move = Move(source_id, target_id, money)
            return SendMoney(
                new_id(), event_id, (move,), order.get("entry", "transfer"), _time(order["at"]), order["description"],
                order["metadata"],
            )  # fmt: skip
        case "hold":
            # Whoever asked for one with an owner may use the world account that it is for.
            owner_id = _uuid(order.get("owner_id"))
            return PlaceHold(
                new_id(), event_id, source_id, target_id, money, _time(order["until"]), order["description"],
                order["metadata"], owner_id is not None, claims, owner_id,
            )  # fmt: skip
        case "undertake":
            return Undertake(
                event_id, source_id, money, order["description"], claims,
                subject=order.get("subject", "payment"), counts=order.get("counts", True),
            )  # fmt: skip
        case "capture":
            amount = show_minor(money.minor, money.currency)
            owner_id = _uuid(order.get("owner_id"))
            return CaptureHold(
                new_id(), event_id, UUID(order["hold_id"]), amount, target_id, owner_id=owner_id
            )  # fmt: skip
        case _:
            amount = show_minor(money.minor, money.currency)
            return ReverseEntry(new_id(), event_id, UUID(order["reverses_id"]), amount, order["description"])


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
