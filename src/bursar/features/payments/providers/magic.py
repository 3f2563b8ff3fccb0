"""What the names of the sandbox's payment methods and destinations make its provider do: pure, and the table of it.

The docs show this table; whoever tests an agent chooses what is to go wrong by the method.
"""

from typing import Literal, NamedTuple

# When a call goes wrong: before anything took effect, after it did, or with an answer that is none.
Fault = Literal["before", "after", "malformed", "unsent"]


class Magic(NamedTuple):
    """What is special about a charge, refund or payout."""

    # The charge is declined with this code.
    decline: str | None = None
    # It stands like this at first, and goes on by itself to `then` after `seconds`.
    first: Literal["requires_action", "processing"] | None = None
    then: Literal["succeeded", "failed"] = "succeeded"
    seconds: int = 2
    # A payout that has arrived comes back as much later.
    returned: bool = False
    # The answer to the first call is lost.
    fault: Fault | None = None
    # The provider says another amount than was asked, by so many minor units.
    off_by_minor: int = 0
    # The customer's bank disputes it.
    disputed: bool = False
    # The same for refunds of it.
    refund_decline: str | None = None
    refund_fault: Fault | None = None


ORDINARY = Magic()
MAGIC: dict[str, Magic] = {
    "sandbox_ok": ORDINARY,
    "sandbox_declined": Magic(decline="card_declined"),
    "sandbox_insufficient_funds": Magic(decline="insufficient_funds"),
    "sandbox_expired": Magic(decline="expired_card"),
    "sandbox_3ds": Magic(first="requires_action"),
    "sandbox_3ds_fails": Magic(first="requires_action", then="failed"),
    "sandbox_late": Magic(first="processing"),
    "sandbox_late_fails": Magic(first="processing", then="failed"),
    "sandbox_timeout": Magic(fault="after"),
    "sandbox_timeout_before": Magic(fault="before"),
    "sandbox_unreachable": Magic(fault="unsent"),
    "sandbox_malformed": Magic(fault="malformed"),
    "sandbox_wrong_amount": Magic(off_by_minor=1),
    "sandbox_disputed": Magic(disputed=True),
    "sandbox_refund_declined": Magic(refund_decline="refund_declined"),
    "sandbox_refund_timeout": Magic(refund_fault="after"),
    "sandbox_refund_timeout_before": Magic(refund_fault="before"),
    # Destinations of payouts. They are under way at first, as with any bank.
    "sandbox_bank": Magic(first="processing"),
    "sandbox_bank_fails": Magic(first="processing", then="failed"),
    "sandbox_bank_returned": Magic(first="processing", returned=True),
    "sandbox_bank_refused": Magic(decline="account_closed"),
    "sandbox_bank_timeout": Magic(first="processing", fault="after"),
    "sandbox_bank_wrong_amount": Magic(first="processing", off_by_minor=1),
}


def magic_of(method: str | None) -> Magic:
    """What a method or destination makes happen: any other name pays, but for one that looks like one of these."""
    if method is None:
        return MAGIC["sandbox_bank"]
    unknown = Magic(decline="no_such_payment_method") if method.startswith("sandbox_") else ORDINARY
    return MAGIC.get(method, unknown)


def fee_of(amount_minor: int) -> int:
    """What the provider keeps of a capture: 2.9 % and 30 minor units, never more than the amount."""
    return min(amount_minor, amount_minor * 29 // 1000 + 30)


# What a dispute costs, whoever wins it, in minor units.
DISPUTE_FEE_MINOR = 1_500
