"""Fill a fresh sandbox; an existing one is left as it is."""

from bursar.core.authority import mandates
from bursar.core.authority.mandates import Draft
from bursar.core.authority.narrowing import WIDEST
from bursar.core.events import service as events
from bursar.core.events.model import Event, Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.ledger import accounts
from bursar.core.ledger import service as ledger
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money

TENANT = "sandbox"
AGENT = "agent_001"
OPERATOR = "operator_001"
FUNDING = "world:funding:USD"

# Number, name, opening balance in cents.
_ACCOUNTS = (
    ("ACC10001", "Avery Adams", 1_250_000),
    ("ACC20002", "Blake Brown", 500_000),
    ("acct_001", "Agent wallet", 1_000_000),
    ("acct_002", "Supplier", 250_000),
    # Where the quickstart of system 3 has agents pay from.
    ("wallet:USD", "Wallet of the agents", 1_000_000),
)


async def ensure(tx: Tx) -> None:
    """Make the tenant of this transaction the sandbox, once; the caller serialises concurrent starts."""
    if not await identity.create_tenant(tx, TENANT):
        return
    await identity.create_principal(tx, "agent", AGENT)
    operator = await identity.create_principal(tx, "operator", OPERATOR)
    # Whoever tries things out is limited by the funds alone.
    wide = await mandates.draft(tx, operator.id, Draft("everything", None, None, None, None, None, WIDEST))
    await mandates.activate(tx, operator.id, wide.id)
    await accounts.open_account(tx, OpenAccount(FUNDING, "Outside funding", "USD", floor_minor=None))
    for number, name, _ in _ACCOUNTS:
        await accounts.open_account(tx, OpenAccount(number, name, "USD"))
    orders = [
        SendMoney(new_id(), new_id(), (Move(FUNDING, number, Money(cents, "USD")),), description="Opening", world=True)
        for number, _, cents in _ACCOUNTS
    ]
    outcomes = (await ledger.send_many(tx, orders, ledger.unexamined)).outcomes
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    events.record(tx, [_opening(order) for order in orders])


def _opening(order: SendMoney) -> Event:
    (move,) = order.moves
    payload = {"amount": str(move.money), "currency": "USD", "source": FUNDING, "target": str(move.target)}
    happening = Happening("transfer.posted", "posted", payload, show("tr", order.entry_id))
    return event_of(order.event_id, None, "", "open_sandbox", happening)
