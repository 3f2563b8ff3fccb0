"""The functional core of the book: locked rows and orders in, new rows and outcomes out, no I/O."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

from bursar.core.ledger import guards
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.guards import refuse_below_floor, refuse_closed, refuse_currency, refuse_frozen, refuse_upstream
from bursar.core.ledger.model import Account, Balance, Entry, Hold, Original, Posting
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    Move,
    Order,
    PlaceHold,
    Propose,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Together,
    Undertake,
)
from bursar.core.ledger.outcomes import (
    AllDone,
    Done,
    Outcome,
    Pending,
    Refused,
    StateConflict,
    Undone,
)
from bursar.kernel.money import Money, read_amount, show_minor
from bursar.kernel.refusal import Conflict, Forbidden, Invalid, InvalidArgument, NotFound, UnknownObject

# A BIGINT holds 9.22e18; balances stop well below it.
MAX_BALANCE_MINOR = 9 * 10**18


# Every order passes it before it is tried, on the page as decided so far: it lets it through, makes it a proposal, or
# raises the refusal.
Gate: TypeAlias = Callable[[Page, SingleOrder], SingleOrder | Propose]


def through(_: Page, order: SingleOrder) -> SingleOrder:
    """The gate of those whom no mandate limits."""
    return order


def decide(book: Book, orders: Sequence[Order], gate: Gate = through) -> tuple[list[Outcome], Page]:
    """Decide the orders one after the other; later ones see what earlier ones did. A refused order leaves no trace."""
    page = Page(book)
    return [_attempt(page, order, gate) for order in orders], page


def _attempt(under: Page, order: Order, gate: Gate) -> Outcome:
    page = Page(under.book, under)
    try:
        outcome = _all(page, order, gate) if isinstance(order, Together) else _admitted(page, order, gate)
    except (Conflict, Forbidden, Invalid, NotFound) as refusal:
        return refusal
    page.turn()
    return outcome


def _all(page: Page, together: Together, gate: Gate) -> AllDone:
    parts: list[Done] = []
    for index, order in enumerate(together.orders):
        outcome = _attempt(page, order, gate)
        if isinstance(outcome, Refused):
            raise Undone(index, outcome)
        assert isinstance(outcome, Done)
        parts.append(outcome)
    return AllDone(tuple(parts))


def _admitted(page: Page, order: SingleOrder, gate: Gate) -> Done | Pending:
    page.world = not isinstance(order, ReleaseHold | ExpireHold) and order.world
    admitted = gate(page, order)
    return _propose(page, admitted) if isinstance(admitted, Propose) else _one(page, admitted)


def _propose(page: Page, proposal: Propose) -> Pending:
    """Try the order, keep nothing of it, and set its funds aside; a capture's are so already."""
    trial = Page(page.book, page)
    trial.world = page.world
    done = _one(trial, proposal.order)
    target = page.account_now(done.target.id) if done.target else None
    if isinstance(proposal.order, CaptureHold | Undertake) or done.account.normal_side == "debit":
        return Pending(page.account_now(done.account.id), target, None)
    money = proposal.order.money if isinstance(proposal.order, PlaceHold) else _posted(trial)
    order = PlaceHold(proposal.hold_id, proposal.event_id, done.account.id, None, money, world=page.world)
    held = _place(page, order)
    assert held.hold
    hold = replace(held.hold, approval_id=proposal.approval_id)
    page.holds[hold.id] = hold
    return Pending(held.account, target, hold)


def _posted(page: Page) -> Money:
    return Money(page.postings[0].amount_minor, page.postings[0].currency)


def _one(page: Page, order: SingleOrder) -> Done:
    match order:
        case SendMoney():
            return _send(page, order)
        case PlaceHold():
            guards.refuse_half_upstream(page, order)
            return _place(page, order)
        case CaptureHold():
            return _capture(page, order)
        case ReleaseHold() | ExpireHold():
            return _give_back(page, order)
        case ReverseEntry():
            return _reverse(page, order)
        case Undertake():
            return _undertake(page, order)


def _undertake(page: Page, order: Undertake) -> Done:
    """Only what will hold when the money comes is looked at: nothing moves yet."""
    account = page.account(order.account, "account")
    refuse_closed(account)
    refuse_upstream(account)
    refuse_currency(account, order.money)
    return Done(account)


def _send(page: Page, order: SendMoney) -> Done:
    effective_at = order.effective_at or page.book.now
    if effective_at > page.book.now:
        raise InvalidArgument("effective_at", "lies in the future")
    entry = Entry(
        order.entry_id, order.kind, order.event_id, None, None, order.description, order.metadata,
        effective_at, page.book.now,
    )  # fmt: skip
    # What a provider has done is done: it was authorised before, and lands on a frozen account too.
    for move in order.moves if order.kind != "payment" else ():
        refuse_frozen(page.account(move.source, "source"))
    return _post(page, entry, order.moves)


def _post(page: Page, entry: Entry, moves: Sequence[Move]) -> Done:
    page.entries.append(entry)
    for seq, move in enumerate(moves):
        page.postings.append(_posting(page, entry, seq, move))
    first = page.postings[0]
    return Done(page.account_now(first.source_id), page.account_now(first.target_id), entry, tuple(page.postings))


def _posting(page: Page, entry: Entry, seq: int, move: Move) -> Posting:
    source, target = page.account(move.source, "source"), page.account(move.target, "target")
    if source.id == target.id:
        raise InvalidArgument("target", "is the same account as the source")
    money = move.money if isinstance(move.money, Money) else read_amount(move.money, source.currency)
    for account in (source, target):
        refuse_closed(account)
        refuse_currency(account, money)
        if entry.kind != "payment":  # What was done there is booked here.
            refuse_upstream(account)
    amount = money.minor
    debited = _change(page, source, amount if source.normal_side == "debit" else -amount)
    credited = _change(page, target, amount if target.normal_side == "credit" else -amount)
    return Posting(
        entry.id, seq, source.id, target.id, money.currency, amount,
        debited.version, debited.posted, credited.version, credited.posted, entry.effective_at,
    )  # fmt: skip


def _change(page: Page, account: Account, change_minor: int) -> Balance:
    """Change the posted balance and step the version; what falls must stay on or above the floor."""
    before = account.balance
    after = Balance(before.posted + change_minor, before.held, before.version + 1)
    if change_minor < 0:
        refuse_below_floor(account, before, after, -change_minor)
    if abs(after.posted) > MAX_BALANCE_MINOR:
        raise InvalidArgument("amount", f"would take {account.number} beyond what an account can hold")
    page.accounts[account.id] = account.with_balance(after)
    return after


def _place(page: Page, order: PlaceHold) -> Done:
    account = page.account(order.account, "account")
    target = page.account(order.target, "target") if order.target is not None else None
    for known in (account, target) if target else (account,):
        refuse_closed(known)
        refuse_currency(known, order.money)
    refuse_frozen(account)
    if target and target.id == account.id:
        raise InvalidArgument("target", "is the same account as the one held")
    if account.normal_side == "debit":
        raise InvalidArgument("account", "a hold reserves funds of a credit-normal account")
    if order.expires_at and order.expires_at <= page.book.now:
        raise InvalidArgument("expires_at", "lies in the past")
    before = account.balance
    after = before._replace(held=before.held + order.money.minor)
    refuse_below_floor(account, before, after, order.money.minor)
    page.accounts[account.id] = holding = account.with_balance(after)
    hold = Hold(
        order.hold_id, account.id, target.id if target else None, account.currency, order.money.minor, 0, "pending",
        order.description, order.metadata, page.book.now, order.expires_at, None, None, order.owner_id,
    )  # fmt: skip
    page.holds[hold.id] = hold
    return Done(holding, target, hold=hold)


def _capture(page: Page, order: CaptureHold) -> Done:
    """A capture was authorised when the hold was placed, so it lands on a frozen account too."""
    hold = _pending(page, order.hold_id, None, order.owner_id)
    money = read_amount(order.amount, hold.currency) if order.amount else Money(hold.amount_minor, hold.currency)
    if money.minor > hold.amount_minor:
        raise InvalidArgument("amount", f"the hold is for {show_minor(hold.amount_minor, hold.currency)}")
    target = _capture_target(page, hold, order)
    _release(page, hold)
    entry = Entry(
        order.entry_id, "capture", order.event_id, None, hold.id, hold.description, hold.metadata,
        page.book.now, page.book.now,
    )  # fmt: skip
    done = _post(page, entry, [Move(hold.account_id, target, money)])
    captured = replace(hold, status="posted", captured_minor=money.minor, entry_id=entry.id, target_id=target)
    page.holds[hold.id] = captured
    return done._replace(hold=captured)


def _capture_target(page: Page, hold: Hold, order: CaptureHold) -> UUID:
    asked = page.account(order.target, "target").id if order.target is not None else None
    if asked and hold.target_id and asked != hold.target_id:
        raise InvalidArgument("target", "the hold was placed for another account")
    target = hold.target_id or asked
    if target is None:
        raise InvalidArgument("target", "the hold names no account to pay, so the capture must")
    return target


def _give_back(page: Page, order: ReleaseHold | ExpireHold) -> Done:
    if isinstance(order, ReleaseHold):
        return _end(page, _pending(page, order.hold_id, order.approval_id, order.owner_id), "voided")
    hold = page.hold(order.hold_id)
    if not hold.is_due(page.book.now):
        raise StateConflict("The hold is not due.")
    return _end(page, hold, "expired")


def _end(page: Page, hold: Hold, status: str) -> Done:
    assert status in ("voided", "expired")
    ended = replace(hold, status=status)
    page.holds[hold.id] = ended
    return Done(_release(page, hold), hold=ended)


def _pending(page: Page, hold_id: UUID, approval_id: UUID | None, owner_id: UUID | None) -> Hold:
    hold = page.hold(hold_id)
    guards.refuse_ended(hold, page.book.now, approval_id, owner_id)
    return hold


def _release(page: Page, hold: Hold) -> Account:
    account = page.account_now(hold.account_id)
    after = account.balance._replace(held=account.balance.held - hold.amount_minor)
    page.accounts[account.id] = released = account.with_balance(after)
    return released


def _reverse(page: Page, order: ReverseEntry) -> Done:
    """Exactly opposite; a frozen account gives back too, for that is what a freeze after a fraud is for."""
    original = page.book.originals.get(order.reverses_id)
    if original is None:
        raise UnknownObject("transfer")
    if original.entry.kind == "reversal":
        raise StateConflict("A reversal is final.")
    if original.entry.kind == "payment":
        raise StateConflict("What went through a provider is given back by a refund.")
    if original.entry.kind == "loan":
        raise StateConflict("What belongs to a loan is taken back there, by POST /v1/loans/{loan_id}/reverse.")
    moves = _opposite(page, original, order.amount)
    taken_back = page.taken_back(original) + sum(money.minor for _, _, money in moves)
    page.reversed_minor[original.entry.id] = taken_back
    now = page.book.now
    entry = Entry(
        order.entry_id, "reversal", order.event_id, original.entry.id, None, order.description, {}, now, now
    )  # fmt: skip
    return _post(page, entry, [Move(*move) for move in moves])._replace(reversed_minor=taken_back)


def _opposite(page: Page, original: Original, amount: str | None) -> list[tuple[UUID, UUID, Money]]:
    left = original.total_minor - page.taken_back(original)
    if not left:
        raise StateConflict("The transfer is already reversed in full.")
    posting, *others = original.postings
    if others:
        if amount is not None:
            raise InvalidArgument("amount", "an entry of several postings is reversed as a whole")
        return [(p.target_id, p.source_id, Money(p.amount_minor, p.currency)) for p in reversed(original.postings)]
    money = read_amount(amount, posting.currency) if amount else Money(left, posting.currency)
    if money.minor > left:
        raise StateConflict(f"Only {show_minor(left, posting.currency)} {posting.currency} are left to reverse.")
    return [(posting.target_id, posting.source_id, money)]
