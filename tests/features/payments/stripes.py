"""What Stripe is asked for in tests."""

from datetime import UTC, datetime
from typing import Any

from bursar.features.payments.ports import (
    Charge,
    Question,
)

KEY_1, KEY_2, KEY_3 = (f"{number:032x}" for number in (1, 2, 3))
SINCE = datetime.now(UTC)


def order(key: str = KEY_1, minor: int = 10_000, *, capture: bool = True, card: str = "visa") -> Charge:
    return Charge(key, minor, "USD", f"pm_card_{card}", capture, description="Order 7")


def question(key: str, kind: Any, reference: str | None = None, minor: int = 10_000) -> Question:
    return Question(key, kind, reference, minor, "USD", SINCE)
