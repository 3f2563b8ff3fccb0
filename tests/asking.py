"""Requests for one transfer as the desk takes them, for tests in which many ask at once."""

from collections.abc import Sequence

from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.model import Ask, Instruction, Told
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity.model import Credential
from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done
from bursar.kernel.canonical import digest
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal

DONE = 201
REFUSED = 409


def ask_of(who: Credential, key: str, body: str = "") -> Ask:
    """A request of `create_transfer` with this Idempotency-Key."""
    return Ask(who, ACTIONS["create_transfer"], "test", Claim(key, digest(body)))


def answer(outcomes: Sequence[Told]) -> Answer:
    """What one order came to: 201 and the id of its entry, or 409 and the refusal's code."""
    (outcome,) = outcomes
    if isinstance(outcome, Done):
        assert outcome.entry
        return Answer(DONE, outcome.entry.id.hex.encode())
    assert isinstance(outcome, Refusal)
    return Answer(REFUSED, outcome.code.encode())


def transfer(who: Credential, source: str, target: str, minor: int = 1, key: str | None = None) -> Instruction:
    """Ask for a transfer in USD under this key, or one of its own; another amount is another body."""

    def orders(_: object) -> list[SendMoney]:
        return [SendMoney(new_id(), new_id(), (Move(source, target, Money(minor, "USD")),), world=True)]

    return Instruction(ask_of(who, key or new_id().hex, str(minor)), orders, answer)
