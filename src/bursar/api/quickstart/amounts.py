"""How the quickstart reads amounts and names its statuses."""

from decimal import Decimal

from bursar.core.ledger.outcomes import InsufficientFunds
from bursar.features.payments.upstream import UpstreamInsufficientFunds
from bursar.kernel.money import plain, refuse_not_positive
from bursar.kernel.refusal import Refusal


def loose_text(amount: str | int | Decimal) -> str:
    """An amount as exact text, whether it came as text or as a JSON number; refuses what is not above zero."""
    text = amount if isinstance(amount, str) else plain(amount)
    refuse_not_positive(text)
    return text


def quick_status(refusal: Refusal) -> int | None:
    """The quickstart answers 400 when funds do not suffice; all else keeps its status."""
    return 400 if isinstance(refusal, InsufficientFunds | UpstreamInsufficientFunds) else None
