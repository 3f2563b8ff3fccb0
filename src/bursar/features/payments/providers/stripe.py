"""Stripe as a provider, by its official SDK; tested against the simulator.

Its own retries are off: Bursar calls again with the same key, and asks first.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import stripe

from bursar.features.payments import signing
from bursar.features.payments.breaker import Breaker
from bursar.features.payments.ports import (
    BalanceTransaction,
    Charge,
    Effect,
    Follow,
    NotSent,
    OutcomeUnknown,
    Payout,
    ProviderEvent,
    ProviderRefused,
    Question,
    Report,
)
from bursar.features.payments.providers import stripe_reading as reading
from bursar.features.payments.providers.stripe_reading import Object
from bursar.features.payments.providers.stripe_wire import (
    PAGE,
    SECONDS_TO_ANSWER,
    Call,
    Transport,
    every,
    get,
    page_of,
    send,
    walk,
)
from bursar.features.payments.registry import Connection

NAME = "stripe"
# Clocks differ.
_SLACK = timedelta(minutes=5)


def connection(
    api_key: str, secrets: Sequence[str], tenant_id: UUID, *, api: str | None = None, return_url: str | None = None
) -> Connection:
    """One account at Stripe, for one tenant; whoever connects it closes it at the end."""
    provider = StripeProvider(api_key, api=api, return_url=return_url)
    return Connection(lambda _tenant_id: provider, tuple(secrets), tenant_id, provider.close, Breaker())


class StripeProvider:
    """One account at Stripe, or at the simulator when `api` is its address."""

    name = NAME
    # Stripe forgets keys after a day at the earliest; what is sent late must still arrive within it.
    key_window_seconds = 23 * 3600

    def __init__(self, api_key: str, *, api: str | None = None, return_url: str | None = None) -> None:
        """`return_url` is where customers come back to who were asked to authenticate."""
        self._transport = Transport()
        self._v1 = stripe.StripeClient(
            api_key,
            base_addresses={"api": api} if api else None,
            max_network_retries=0,
            http_client=self._transport,
        ).v1
        self._return_url = return_url

    async def close(self) -> None:
        """Close its connections."""
        await self._transport.close_async()

    async def charge(self, order: Charge) -> Report:
        """Create a payment by card and confirm it."""
        _counted(order.currency)
        params: dict[str, Any] = {
            "allowed_payment_method_types": ["card"],
            "amount": order.amount_minor,
            "capture_method": "automatic" if order.capture else "manual",
            "confirm": True,
            "currency": order.currency.lower(),
            "expand": ["latest_charge.balance_transaction"],
            "metadata": {reading.KEY: order.key},
            "payment_method": order.method,
            # Whoever waits to capture may do it in parts.
            "payment_method_options": {"card": {"request_multicapture": "never" if order.capture else "if_available"}},
        }
        given = {"customer": order.customer, "description": order.description, "return_url": self._return_url}
        params |= {name: value for name, value in given.items() if value is not None}
        intent, replayed = await send(self._v1.payment_intents.create_async, params, order.key)
        with reading.readable():
            moved = reading.part(reading.part(intent, "latest_charge"), "balance_transaction")
            effects = reading.capture_effects(intent, [moved] if moved else [])
            return reading.intent_report(intent, "charge", order.key, effects, complete=not replayed)

    async def follow(self, order: Follow) -> Report:
        """Capture, cancel or refund."""
        _counted(order.currency)
        until = asyncio.get_running_loop().time() + SECONDS_TO_ANSWER
        if order.kind == "refund":
            params: dict[str, Any] = {
                "payment_intent": order.reference,
                "amount": order.amount_minor,
                "metadata": {reading.KEY: order.key},
                "expand": ["balance_transaction", "failure_balance_transaction"],
            }
            refund, replayed = await send(self._v1.refunds.create_async, params, order.key)
            with reading.readable():
                return reading.refund_report(refund, complete=not replayed)
        intents = self._v1.payment_intents
        if order.kind == "cancel":
            intent, _ = await send(partial(intents.cancel_async, order.reference), {}, order.key)
        else:
            params = {
                "amount_to_capture": order.amount_minor,
                "metadata": {f"{reading.CAPTURE}{order.key}": str(order.amount_minor)},
                # A capture is final unless it says otherwise.
                **({} if order.final else {"final_capture": False}),
            }
            intent, _ = await send(partial(intents.capture_async, order.reference), params, order.key)
        effects: list[Effect] = []
        complete = False
        # What was done is done; where all of it cannot be had in time, Bursar asks for it.
        with contextlib.suppress(NotSent, OutcomeUnknown, ProviderRefused, TimeoutError):
            async with asyncio.timeout_at(until):
                effects, complete = await self._effects_of(intent), True
        with reading.readable():
            return reading.intent_report(intent, order.kind, order.key, effects, complete=complete)

    async def _effects_of(self, intent: Object) -> list[Effect]:
        charge = intent["latest_charge"]
        if not charge or not intent["amount_received"]:
            return []
        moved = await every(self._v1.balance_transactions.list_async, {"source": charge})
        refunds = await every(
            self._v1.refunds.list_async,
            {
                "payment_intent": intent["id"],
                "expand": ["data.balance_transaction", "data.failure_balance_transaction"],
            },
        )
        disputes = await every(self._v1.disputes.list_async, {"payment_intent": intent["id"]})
        with reading.readable():
            return [
                *reading.capture_effects(intent, moved),
                *[effect for one in refunds for effect in reading.refund_effects(one)],
                *[effect for one in disputes for effect in reading.dispute_effects(one)],
            ]

    async def pay_out(self, order: Payout) -> Report:
        """Pay out of the balance."""
        _counted(order.currency)
        params: dict[str, Any] = {
            "amount": order.amount_minor,
            "currency": order.currency.lower(),
            "metadata": {reading.KEY: order.key},
        }
        given = {"description": order.description, "destination": order.destination}
        params |= {name: value for name, value in given.items() if value is not None}
        payout, replayed = await send(self._v1.payouts.create_async, params, order.key)
        with reading.readable():
            return reading.payout_report(payout)._replace(complete=not replayed)

    async def ask(self, question: Question) -> Report | None:
        """Look by the id where it is known, else by our own key through the lists, which are never behind."""
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                return await self._ask(question)
        except TimeoutError as error:
            raise OutcomeUnknown("it could not be found out in time") from error

    async def _ask(self, question: Question) -> Report | None:
        if question.kind in ("refund", "payout"):
            return await self._ask_of(question)
        intents = self._v1.payment_intents
        if question.reference:
            intent = await get(intents.retrieve_async, question.reference)
        else:
            intent = await self._find(intents.list_async, question, {})
        if intent is None:
            return None
        with reading.readable():
            asked_for = {
                "capture": f"{reading.CAPTURE}{question.key}" in intent["metadata"],
                "cancel": intent["status"] == "canceled",
            }.get(question.kind, reading.key_of(intent) == question.key)
        if not asked_for:
            return None
        # Asking is for the whole truth, so what cannot be had now is not left out.
        effects = await self._effects_of(intent)
        with reading.readable():
            return reading.intent_report(intent, question.kind, question.key, effects, complete=True)

    async def _ask_of(self, question: Question) -> Report | None:
        expand = ["balance_transaction", "failure_balance_transaction"]
        room: Any = self._v1.refunds if question.kind == "refund" else self._v1.payouts
        if question.reference:
            found = await get(room.retrieve_async, question.reference, expand)
        else:
            found = await self._find(room.list_async, question, {"expand": [f"data.{name}" for name in expand]})
        if found is None:
            return None
        with reading.readable():
            return reading.refund_report(found) if question.kind == "refund" else reading.payout_report(found)

    def read_event(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
    ) -> ProviderEvent:
        """Verify a delivery over its raw bytes, by any of the secrets, within five minutes; then read it."""
        signing.verify(body, headers.get(signing.HEADER), secrets, now)
        return reading.read_event(body)

    def parse_event(self, body: bytes) -> ProviderEvent:
        """An event that was verified when it came."""
        return reading.read_event(body)

    async def list_balance_transactions(
        self, since: datetime, until: datetime, after: str | None = None, limit: int = 100
    ) -> list[BalanceTransaction]:
        """Its books. Stripe lists them newest first, so the first page is the end of the last one."""
        created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        params: dict[str, Any] = {"created": created, "expand": ["data.source"]}
        rows = self._v1.balance_transactions.list_async
        if after:
            page = await page_of(rows, {**params, "limit": min(limit, PAGE), "ending_before": after})
            found: list[Object] = page["data"]
        else:
            # One page more than is wanted tells that there is more.
            found = await every(rows, params, limit // PAGE + 2)
        with reading.readable():
            return [reading.row_of(one) for one in found[::-1]][:limit]

    async def _find(self, call: Call, question: Question, params: dict[str, Any]) -> Object | None:
        """What bears our key, among all that was made since the call was."""
        since = {"created": {"gte": int((question.since - _SLACK).timestamp())}} if question.since else {}
        async for one in walk(call, {**params, **since}):
            if reading.key_of(one) == question.key:
                return one
        return None


def _counted(currency: str) -> None:
    """Refuse a currency whose smallest unit is another one at Stripe."""
    if currency in reading.COUNTED_OTHERWISE:
        raise ProviderRefused("currency_not_supported")
