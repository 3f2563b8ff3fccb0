"""What the audit row says of each order and its outcome, and of an agent's change of team."""

from collections.abc import Mapping

from bursar.core.authority.model import PendingApproval
from bursar.core.events.model import Happening
from bursar.core.identity.model import Principal
from bursar.core.ledger.model import AccountRef, Hold, Posting
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Undertake,
)
from bursar.core.ledger.outcomes import Done, Refused
from bursar.kernel.canonical import Json
from bursar.kernel.ids import show
from bursar.kernel.money import Money, show_minor

_DONE = {
    SendMoney: "transfer.posted",
    ReverseEntry: "transfer.reversed",
    PlaceHold: "hold.placed",
    CaptureHold: "hold.captured",
    ReleaseHold: "hold.released",
    ExpireHold: "hold.expired",
    Undertake: "undertaken",
}
_REFUSED = {
    SendMoney: "transfer.refused",
    ReverseEntry: "reversal.refused",
    PlaceHold: "hold.refused",
    CaptureHold: "capture.refused",
    ReleaseHold: "release.refused",
    ExpireHold: "expiry.refused",
    Undertake: "refused",
}


def _type(types: Mapping[type[SingleOrder], str], order: SingleOrder) -> str:
    """What happened, in a word; of an undertaking it begins with what was undertaken."""
    found = types[type(order)]
    return f"{order.subject}.{found}" if isinstance(order, Undertake) else found


def done(order: SingleOrder, outcome: Done) -> Happening:
    """The record of an order that was carried out: what was asked and every posting with its versions."""
    payload = asked(order)
    _, _, entry, postings, hold, _ = outcome
    if postings:
        payload["postings"] = [_posting(p) for p in postings]
    if hold:
        payload["hold"] = _hold(hold)
    name = show("tr", entry.id) if entry else show("hold", hold.id) if hold else None
    state = "posted" if entry else hold.status if hold else "undertaken"
    return Happening(_type(_DONE, order), state, payload, name)


def proposed(order: SingleOrder, pending: PendingApproval, hold: Hold | None) -> Happening:
    """The record of an order that waits for a person."""
    payload = {**asked(order), "hold": _hold(hold) if hold else None, "why": list(pending.why)}
    return Happening("approval.requested", "pending", payload, show("apr", pending.approval_id), "needs_approval")


def refused(order: SingleOrder, refusal: Refused) -> Happening:
    """The record of an order that was refused."""
    payload = {**asked(order), "detail": refusal.detail}
    return Happening(_type(_REFUSED, order), refusal.code, payload, _about(order), "deny")


def expired(hold: Hold) -> Happening:
    """The record of a hold whose time was over."""
    return Happening("hold.expired", "expired", {"hold": _hold(hold)}, show("hold", hold.id))


def undone(count: int, refusal: Refused) -> Happening:
    """The record of an all-or-nothing batch that was refused."""
    return Happening("batch.refused", refusal.code, {"detail": refusal.detail, "orders": count}, None, "deny")


def told_team(before: Principal, after: Principal) -> Happening:
    """The record of an agent's change of team."""
    facts: dict[str, Json] = {"name": after.name, "team": after.team, "was": before.team}
    return Happening("agent.team_changed", "done", facts, show("prn", after.id))


def asked(order: SingleOrder) -> dict[str, Json]:
    """An order as plain facts."""
    match order:
        case SendMoney():
            moves = [_move(*move) for move in order.moves]
            facts: dict[str, Json] = moves[0] if len(moves) == 1 else {"moves": moves}
            facts["description"], facts["metadata"] = order.description, dict(order.metadata)
            return facts
        case PlaceHold():
            return {
                "account": _ref(order.account),
                "amount": str(order.money),
                "currency": order.money.currency,
                "description": order.description,
                "expires_at": order.expires_at.isoformat() if order.expires_at else None,
                "metadata": dict(order.metadata),
                "target": _ref(order.target) if order.target is not None else None,
            }
        case CaptureHold():
            target = _ref(order.target) if order.target is not None else None
            return {"amount": order.amount, "hold_id": show("hold", order.hold_id), "target": target}
        case ReleaseHold() | ExpireHold():
            return {"hold_id": show("hold", order.hold_id)}
        case Undertake():
            return {
                "account": _ref(order.account),
                "amount": str(order.money),
                "currency": order.money.currency,
                "description": order.description,
            }
        case ReverseEntry():
            reverses = show("tr", order.reverses_id)
            return {"amount": order.amount, "description": order.description, "reverses": reverses}


def _move(source: AccountRef, target: AccountRef, money: Money | str) -> dict[str, Json]:
    return {
        "amount": str(money),
        "currency": money.currency if isinstance(money, Money) else None,
        "source": _ref(source),
        "target": _ref(target),
    }


def _about(order: SingleOrder) -> str | None:
    match order:
        case CaptureHold() | ReleaseHold() | ExpireHold():
            return show("hold", order.hold_id)
        case ReverseEntry():
            return show("tr", order.reverses_id)
        case SendMoney() | PlaceHold() | Undertake():
            return None


def _ref(ref: AccountRef) -> str:
    return ref if isinstance(ref, str) else show("acct", ref)


def _posting(posting: Posting) -> Json:
    _, _, source_id, target_id, currency, minor, source_version, source_after, target_version, target_after, _ = posting
    return {
        "amount": show_minor(minor, currency),
        "currency": currency,
        "source_balance": show_minor(source_after, currency),
        "source_id": show("acct", source_id),
        "source_version": source_version,
        "target_balance": show_minor(target_after, currency),
        "target_id": show("acct", target_id),
        "target_version": target_version,
    }


def _hold(hold: Hold) -> Json:
    return {
        "account_id": show("acct", hold.account_id),
        "amount": show_minor(hold.amount_minor, hold.currency),
        "captured": show_minor(hold.captured_minor, hold.currency),
        "currency": hold.currency,
        "id": show("hold", hold.id),
        "status": hold.status,
    }
