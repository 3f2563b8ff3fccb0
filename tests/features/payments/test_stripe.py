"""The stripe provider against the simulator: what it reports, what it makes of every fault, what it believes."""

from datetime import timedelta
from uuid import UUID

import pytest

from bursar.features.payments.ports import (
    Effect,
    Follow,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Payout,
    ProviderRefused,
    Report,
)
from bursar.features.payments.providers import stripe as provider_module
from bursar.features.payments.providers.stripe import StripeProvider
from bursar.simulator.faults import REQUEST_MODES
from tests.features.payments.stripes import KEY_1, KEY_2, KEY_3, SINCE, order, question
from tests.simulated import KEY, Simulated


def brief(effects: tuple[Effect, ...]) -> list[tuple[str, int, int, str | None]]:
    return [(one.kind, one.amount_minor, one.fee_minor, one.key) for one in effects]


def balance_of(effects: tuple[Effect, ...]) -> int:
    """By how much effects change the balance, by the port's own table."""
    signs = {"capture": 1, "refund": -1, "refund_failed": 1, "dispute": -1, "dispute_won": 1, "payout": -1,
             "payout_failed": 1, "adjustment": 1}  # fmt: skip
    return sum(signs.get(one.kind, 0) * one.amount_minor - one.fee_minor for one in effects)


def net(simulator: Simulated) -> int:
    return simulator.books()["sums"]["usd"]["net"]


async def test_a_charge_reports_its_capture_and_fee(stripe: StripeProvider, simulator: Simulated) -> None:
    report = await stripe.charge(order())
    assert (report.key, report.kind, report.standing) == (KEY_1, "charge", "succeeded")
    assert (report.amount_minor, report.currency, report.complete) == (10_000, "USD", True)
    assert brief(report.effects) == [("capture", 10_000, 320, KEY_1)]
    assert balance_of(report.effects) == net(simulator)
    # Asking and the list of the books name the same effect.
    asked = await stripe.ask(question(KEY_1, "charge"))
    assert asked
    assert asked.effects == report.effects
    (row,) = await stripe.list_balance_transactions(SINCE - timedelta(days=1), SINCE + timedelta(days=1))
    assert row.effect
    assert (row.reference, row.net_minor, row.effect.kind) == (report.effects[0].reference, 9680, "capture")


async def test_the_same_key_has_one_effect_and_says_that_there_may_be_more(
    stripe: StripeProvider, simulator: Simulated
) -> None:
    first = await stripe.charge(order())
    again = await stripe.charge(order())
    assert again == first._replace(complete=False)
    assert len(simulator.books()["payments"]) == 1
    with pytest.raises(Malformed):
        await stripe.charge(order(minor=10_001))


async def test_captures_in_parts_bear_the_keys_of_their_calls(stripe: StripeProvider, simulator: Simulated) -> None:
    charged = await stripe.charge(order(capture=False))
    assert (charged.standing, charged.effects) == ("requires_capture", ())
    part = Follow(KEY_2, "capture", charged.reference, 3000, "USD", final=False)
    report = await stripe.follow(part)
    assert (report.standing, report.amount_minor) == ("requires_capture", 10_000)
    assert brief(report.effects) == [("capture", 3000, 117, KEY_2)]
    assert await stripe.ask(question(KEY_3, "capture", charged.reference)) is None
    report = await stripe.follow(Follow(KEY_3, "capture", charged.reference, 3000, "USD"))
    assert report.standing == "succeeded"
    assert brief(report.effects) == [("capture", 3000, 117, KEY_2), ("capture", 3000, 117, KEY_3)]
    asked = await stripe.ask(question(KEY_2, "capture", charged.reference))
    assert asked
    assert asked.effects == report.effects
    assert balance_of(report.effects) == net(simulator)


async def test_cancel_and_asking_whether_it_was(stripe: StripeProvider) -> None:
    charged = await stripe.charge(order(capture=False))
    assert await stripe.ask(question(KEY_2, "cancel", charged.reference)) is None
    report = await stripe.follow(Follow(KEY_2, "cancel", charged.reference, 0, "USD"))
    assert (report.standing, report.effects) == ("canceled", ())
    asked = await stripe.ask(question(KEY_2, "cancel", charged.reference))
    assert asked
    assert asked.standing == "canceled"
    with pytest.raises(ProviderRefused) as raised:
        await stripe.follow(Follow(KEY_3, "capture", charged.reference, 1, "USD"))
    assert raised.value.code == "payment_intent_unexpected_state"


async def test_refunds_report_themselves(stripe: StripeProvider, simulator: Simulated) -> None:
    charged = await stripe.charge(order())
    report = await stripe.follow(Follow(KEY_2, "refund", charged.reference, 6000, "USD"))
    assert (report.kind, report.standing, report.amount_minor) == ("refund", "succeeded", 6000)
    assert report.payment == charged.reference
    assert brief(report.effects) == [("refund", 6000, 0, KEY_2)]
    with pytest.raises(ProviderRefused):
        await stripe.follow(Follow(KEY_3, "refund", charged.reference, 6000, "USD"))
    for reference in (None, report.reference):
        asked = await stripe.ask(question(KEY_2, "refund", reference))
        assert asked
        assert (asked.reference, asked.effects) == (report.reference, report.effects)
    whole = await stripe.ask(question(KEY_1, "charge", charged.reference))
    assert whole
    assert brief(whole.effects) == [("capture", 10_000, 320, KEY_1), ("refund", 6000, 0, KEY_2)]
    assert balance_of(whole.effects) == net(simulator)


async def test_a_refund_that_comes_back(stripe: StripeProvider, simulator: Simulated) -> None:
    charged = await stripe.charge(order(card="refundFail"))
    await stripe.follow(Follow(KEY_2, "refund", charged.reference, 10_000, "USD"))
    simulator.advance(3600)
    asked = await stripe.ask(question(KEY_2, "refund"))
    assert asked
    assert (asked.standing, asked.failure) == ("failed", "expired_or_canceled_card")
    assert [one.kind for one in asked.effects] == ["refund", "refund_failed"]


@pytest.mark.parametrize(("words", "ends"), [("winning_evidence", "dispute_won"), ("losing_evidence", "dispute_lost")])
@pytest.mark.parametrize("returned", [0, 1])
async def test_disputes(stripe: StripeProvider, simulator: Simulated, words: str, ends: str, returned: int) -> None:
    simulator.control("POST", "settings", dispute_fee_returned=returned)
    charged = await stripe.charge(order())
    dispute = simulator.control("POST", "disputes", payment_intent=charged.reference, amount=12_000)
    simulator.sdk.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": words}})
    asked = await stripe.ask(question(KEY_1, "charge", charged.reference))
    assert asked
    assert [one.kind for one in asked.effects] == ["capture", "dispute", "dispute_review"]
    simulator.advance(1)
    asked = await stripe.ask(question(KEY_1, "charge", charged.reference))
    assert asked
    kinds = [one.kind for one in asked.effects]
    fee_back = ["adjustment"] if returned and ends == "dispute_won" else []
    assert kinds == ["capture", "dispute", ends, *fee_back]
    assert balance_of(asked.effects) == net(simulator)


async def test_payouts(stripe: StripeProvider, simulator: Simulated) -> None:
    await stripe.charge(order(card="bypassPending"))
    report = await stripe.pay_out(Payout(KEY_2, 9000, "USD"))
    assert (report.standing, brief(report.effects)) == ("processing", [("payout", 9000, 0, KEY_2)])
    failing = await stripe.pay_out(Payout(KEY_3, 600, "USD", "ba_account_closed"))
    with pytest.raises(ProviderRefused) as raised:
        await stripe.pay_out(Payout(f"{4:032x}", 600, "USD"))
    assert raised.value.code == "balance_insufficient"
    simulator.advance(2 * 86_400)
    paid = await stripe.ask(question(KEY_2, "payout", minor=9000))
    failed = await stripe.ask(question(KEY_3, "payout", failing.reference, 600))
    assert paid
    assert failed
    assert (paid.standing, [one.kind for one in paid.effects]) == ("succeeded", ["payout", "payout_paid"])
    assert (failed.standing, failed.failure) == ("failed", "account_closed")
    assert [one.kind for one in failed.effects] == ["payout", "payout_failed"]
    assert await stripe.ask(question(f"{4:032x}", "payout")) is None


async def test_a_declined_card_is_refused_and_known_by_its_key(stripe: StripeProvider) -> None:
    with pytest.raises(ProviderRefused) as raised:
        await stripe.charge(order(card="chargeDeclinedInsufficientFunds"))
    assert raised.value.code == "insufficient_funds"
    asked = await stripe.ask(question(KEY_1, "charge"))
    assert asked
    assert (asked.standing, asked.failure, asked.reference) == (
        "failed", "insufficient_funds", raised.value.reference,
    )  # fmt: skip


async def test_a_customer_is_sent_to_authenticate(stripe: StripeProvider, simulator: Simulated) -> None:
    report = await stripe.charge(order(card="authenticationRequired"))
    assert report.standing == "requires_action"
    assert report.action_url
    simulator.control("POST", "authenticate", payment_intent=report.reference)
    asked = await stripe.ask(question(KEY_1, "charge", report.reference))
    assert asked
    assert (asked.standing, brief(asked.effects)) == ("succeeded", [("capture", 10_000, 320, KEY_1)])


HEARD: dict[str, type[Exception] | None] = {
    "unavailable": OutcomeUnknown, "rate_limit": NotSent, "reset_before": OutcomeUnknown,
    "error_before": OutcomeUnknown, "error_after": OutcomeUnknown, "timeout_after": OutcomeUnknown,
    "reset_after": OutcomeUnknown, "slow": None, "malformed": Malformed, "wrong_amount": None, "wrong_currency": None,
}  # fmt: skip


@pytest.mark.parametrize("mode", REQUEST_MODES)
async def test_every_fault_is_told_apart_and_asking_says_what_is_so(
    stripe: StripeProvider, simulator: Simulated, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bursar.features.payments.providers.stripe_wire.SECONDS_TO_ANSWER", 1)
    seconds = 600 if mode == "timeout_after" else 0.01
    simulator.control("POST", "faults", mode=mode, on="payment_intents.create", times=1, seconds=seconds)
    error = HEARD[mode]
    report: Report | None = None
    if error:
        with pytest.raises(error):
            await stripe.charge(order())
    else:
        report = await stripe.charge(order())
    # What is wrong is reported as it was said, and the core finds it out.
    if mode == "wrong_amount":
        assert report
        assert report.amount_minor == 10_100
    if mode == "wrong_currency":
        assert report
        assert report.currency == "EUR"
    asked = await stripe.ask(question(KEY_1, "charge"))
    payments = simulator.books()["payments"]
    assert len(payments) == (0 if asked is None else 1)
    if asked:
        assert (asked.standing, asked.amount_minor, asked.currency) == ("succeeded", 10_000, "USD")
        assert balance_of(asked.effects) == net(simulator)


async def test_a_capture_that_was_made_is_reported_though_its_effects_cannot_be_had(
    stripe: StripeProvider, simulator: Simulated
) -> None:
    charged = await stripe.charge(order(capture=False))
    simulator.control("POST", "faults", mode="unavailable", on="balance_transactions.list")
    report = await stripe.follow(Follow(KEY_2, "capture", charged.reference, 10_000, "USD"))
    assert (report.standing, report.effects, report.complete) == ("succeeded", (), False)
    with pytest.raises(OutcomeUnknown):
        await stripe.ask(question(KEY_2, "capture", charged.reference))


async def test_where_nobody_listens_nothing_is_sent() -> None:
    nobody = StripeProvider(KEY, api="http://127.0.0.1:1")
    with pytest.raises(NotSent):
        await nobody.charge(order())
    await nobody.close()


async def test_a_wrong_key_does_nothing(simulator: Simulated) -> None:
    stranger = StripeProvider("sk_live_wrong", api=simulator.url)
    with pytest.raises(NotSent):
        await stranger.charge(order())
    await stranger.close()


@pytest.mark.parametrize("currency", ["ISK", "UGX"])
async def test_a_currency_that_is_counted_otherwise_is_refused(stripe: StripeProvider, currency: str) -> None:
    with pytest.raises(ProviderRefused):
        await stripe.charge(order()._replace(currency=currency))


async def test_the_books_are_listed_oldest_first_page_by_page(stripe: StripeProvider, simulator: Simulated) -> None:
    for number in range(5):
        await stripe.charge(order(f"{number:032x}", 1000 + number))
    since, until = SINCE - timedelta(days=1), SINCE + timedelta(days=1)
    rows = await stripe.list_balance_transactions(since, until, limit=2)
    while True:
        more = await stripe.list_balance_transactions(since, until, rows[-1].reference, limit=2)
        if not more:
            break
        rows += more
    assert [row.reference for row in rows] == [one["id"] for one in simulator.books()["balance_transactions"]]
    assert sum(row.net_minor for row in rows) == net(simulator)


async def test_a_connection_belongs_to_one_tenant(simulator: Simulated) -> None:
    tenant_id = UUID(int=7)
    made = provider_module.connection(KEY, ["whsec_1"], tenant_id, api=simulator.url)
    provider = made.of(tenant_id)
    assert (made.tenant_id, made.secrets, provider.name) == (tenant_id, ("whsec_1",), "stripe")
    assert isinstance(provider, StripeProvider)
    await provider.close()
