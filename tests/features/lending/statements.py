"""Bank statements that are handed in, and a card of dollars that scores them."""

from collections.abc import Sequence
from typing import Any

from tests.features.lending.applying import Lender
from tests.features.lending.banking import CARD

GOOD, MIDDLING, POOR = 600_000, 520_000, 100


async def carded(lender: Lender, status: str = "active", version: int = 1) -> str:
    """A scorecard of the tenant's, which stands so."""
    card = CARD.model_dump() | {"name": "dollars", "version": version, "currency": "USD"}
    made = (await lender.ok("operator", "/scorecards", card))["scorecard"]
    if status != "draft":
        await lender.ok("operator", f"/scorecards/{made}/activate")
    return made


def lines(balance_minor: int, income: str = "3000.00", months: Sequence[int] = range(1, 9)) -> list[dict[str, Any]]:
    """A balance that stays where it is over these months of 2026, and an income on their first days."""
    balance = f"{balance_minor // 100}.{balance_minor % 100:02}"
    return [{"day": f"2026-{month:02}-01", "change": income, "balance": balance} for month in months]


async def handed_in(lender: Lender, who: str, found: Any, **changes: Any) -> Any:
    """An application with a statement that its applicant stated, by which they do well."""
    body = {"version": found["version"], "origin": "stated", **changes}
    if "summary" not in body:
        body.setdefault("lines", lines(GOOD))
    return await lender.ok(who, f"/applications/{found['id']}/statements", body)
