"""Stripe's documented test payment methods: what each one does when it is charged, refunded or disputed."""

from typing import Any, NamedTuple


class Behaviour(NamedTuple):
    """What comes of a card: a decline, an authentication, a dispute or a refund that does not go through."""

    decline: tuple[str, str, str] | None = None
    """The error's code, its decline code and its message."""
    authenticate: str | None = None
    """`always`; or `once`: not when the payment is off session and the card was set up before."""
    dispute: str | None = None
    """The reason of the dispute that comes by itself; `inquiry` is one that moves no money."""
    refund: str = "succeeded"
    """`pending` for refunds that take their time, `failed` for those that look well at first."""
    at_once: bool = False
    """The money is available without waiting."""
    brand: str = "visa"
    last4: str = "4242"


def _declined(code: str, decline_code: str, message: str, last4: str) -> Behaviour:
    return Behaviour(decline=(code, decline_code, message), last4=last4)


_GENERIC = ("card_declined", "generic_decline", "Your card was declined.")
_NO_FUNDS = ("card_declined", "insufficient_funds", "Your card has insufficient funds.")

# Keyed by what follows `pm_card_`; `tok_` and the same word makes a payment method of it.
CARDS: dict[str, Behaviour] = {
    "visa": Behaviour(),
    "visa_debit": Behaviour(last4="5556"),
    "mastercard": Behaviour(brand="mastercard", last4="4444"),
    "amex": Behaviour(brand="amex", last4="0005"),
    "discover": Behaviour(brand="discover", last4="1117"),
    "us": Behaviour(),
    "bypassPending": Behaviour(at_once=True, last4="0077"),
    "chargeDeclined": _declined(*_GENERIC, "0002"),
    "visa_chargeDeclined": _declined(*_GENERIC, "0002"),
    "chargeCustomerFail": _declined(*_GENERIC, "0341"),
    "chargeDeclinedInsufficientFunds": _declined(*_NO_FUNDS, "9995"),
    "visa_chargeDeclinedInsufficientFunds": _declined(*_NO_FUNDS, "9995"),
    "visa_chargeDeclinedLostCard": _declined("card_declined", "lost_card", "Your card was declined.", "9987"),
    "visa_chargeDeclinedStolenCard": _declined("card_declined", "stolen_card", "Your card was declined.", "9979"),
    "chargeDeclinedFraudulent": _declined("card_declined", "fraudulent", "Your card was declined.", "0019"),
    "chargeDeclinedExpiredCard": _declined("expired_card", "expired_card", "Your card has expired.", "0069"),
    "chargeDeclinedIncorrectCvc": _declined(
        "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "0127"
    ),
    "chargeDeclinedProcessingError": _declined(
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
        "0119",
    ),
    "visa_chargeDeclinedVelocityLimitExceeded": _declined(
        "card_declined",
        "card_velocity_exceeded",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
        "6975",
    ),
    "authenticationRequired": Behaviour(authenticate="always", last4="3184"),
    "authenticationRequiredOnSetup": Behaviour(authenticate="once", last4="3155"),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Behaviour(
        authenticate="always", decline=_NO_FUNDS, last4="8309"
    ),
    "threeDSecure2Required": Behaviour(authenticate="always", last4="3220"),
    "threeDSecureRequiredChargeDeclined": Behaviour(authenticate="always", decline=_GENERIC, last4="1629"),
    "createDispute": Behaviour(dispute="fraudulent", last4="0259"),
    "createDisputeProductNotReceived": Behaviour(dispute="product_not_received", last4="2685"),
    "createDisputeInquiry": Behaviour(dispute="inquiry", last4="1976"),
    "pendingRefund": Behaviour(refund="pending", last4="7726"),
    "refundFail": Behaviour(refund="failed", last4="5126"),
}


def shown(card: Behaviour) -> dict[str, Any]:
    """The card as a payment method or a charge shows it."""
    return {
        "brand": card.brand,
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"Sim{card.brand[:4]}{card.last4}",
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
    }
