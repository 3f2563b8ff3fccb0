"""Payments through providers: taken, confirmed, captured, canceled, refunded; and payouts."""

from collections.abc import AsyncIterator, Mapping

from bursar.client.arguments import Amount, exact, given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.payments import Dispute, Payment, Payout, Refund


class Payments(Room):
    """What is not over when it is answered says so: send the same call with the same key, or read it again."""

    async def create_payment(
        self,
        *,
        account: str,
        amount: Amount,
        currency: str,
        payment_method: str | None = None,
        customer: str | None = None,
        provider: str | None = None,
        capture: str | None = None,
        confirm: bool | None = None,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        mandate: str | None = None,
        acknowledge_duplicate: str | None = None,
        idempotency_key: str,
    ) -> Payment:
        """Take a payment to one of your accounts; `capture="manual"` only authorises it."""
        body = given(
            account=account,
            amount=exact(amount),
            currency=currency,
            payment_method=payment_method,
            customer=customer,
            provider=provider,
            capture=capture,
            confirm=confirm,
            description=description,
            metadata=metadata,
            mandate=mandate,
            acknowledge_duplicate=acknowledge_duplicate,
        )
        return await self._change(Payment, "create_payment", "/v1/payments", body, idempotency_key)

    async def get_payment(self, payment_id: str) -> Payment:
        """One payment as it stands."""
        return await self._read(Payment, "get_payment", f"/v1/payments/{segment(payment_id)}")

    async def list_payments(
        self,
        *,
        status: str | None = None,
        customer: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Payment]:
        """Payments, newest first, a page at a time."""
        query = given(status=status, customer=customer, cursor=cursor, limit=limit)
        return await self._read(Page[Payment], "list_payments", "/v1/payments", query)

    def iterate_payments(self, *, status: str | None = None, customer: str | None = None) -> AsyncIterator[Payment]:
        """All payments, newest first."""
        return items_of(lambda c: self.list_payments(status=status, customer=customer, cursor=c, limit=500))

    async def confirm_payment(
        self,
        payment_id: str,
        *,
        payment_method: str | None = None,
        acknowledge_duplicate: str | None = None,
        idempotency_key: str,
    ) -> Payment:
        """Try to have it paid, with the method it has or another one."""
        path = f"/v1/payments/{segment(payment_id)}/confirm"
        body = given(payment_method=payment_method, acknowledge_duplicate=acknowledge_duplicate)
        return await self._change(Payment, "confirm_payment", path, body, idempotency_key)

    async def capture_payment(
        self, payment_id: str, *, amount: Amount | None = None, final: bool | None = None, idempotency_key: str
    ) -> Payment:
        """Capture all that is left, or `amount` of it; with `final=False` more may follow."""
        path = f"/v1/payments/{segment(payment_id)}/capture"
        body = given(amount=exact(amount), final=final)
        return await self._change(Payment, "capture_payment", path, body, idempotency_key)

    async def cancel_payment(self, payment_id: str, *, idempotency_key: str) -> Payment:
        """Let go what was authorised and not captured."""
        path = f"/v1/payments/{segment(payment_id)}/cancel"
        return await self._change(Payment, "cancel_payment", path, None, idempotency_key)

    async def refund_payment(
        self,
        payment_id: str,
        *,
        amount: Amount | None = None,
        description: str | None = None,
        mandate: str | None = None,
        acknowledge_duplicate: str | None = None,
        idempotency_key: str,
    ) -> Refund:
        """Give back all that is left, or `amount` of it."""
        path = f"/v1/payments/{segment(payment_id)}/refund"
        body = given(
            amount=exact(amount),
            description=description,
            mandate=mandate,
            acknowledge_duplicate=acknowledge_duplicate,
        )
        return await self._change(Refund, "refund_payment", path, body, idempotency_key)

    async def lift_quarantine(self, payment_id: str, *, decision: str, reason: str, idempotency_key: str) -> Payment:
        """Go on with a payment whose provider contradicted what was asked: `ask_again` or `to_suspense`."""
        path = f"/v1/payments/{segment(payment_id)}/lift-quarantine"
        body = {"decision": decision, "reason": reason}
        return await self._change(Payment, "lift_quarantine", path, body, idempotency_key)

    async def lift_payout_quarantine(
        self, payout_id: str, *, decision: str, reason: str, idempotency_key: str
    ) -> Payout:
        """Go on with a payout whose provider contradicted what was asked: `ask_again` or `to_suspense`."""
        path = f"/v1/payouts/{segment(payout_id)}/lift-quarantine"
        body = {"decision": decision, "reason": reason}
        return await self._change(Payout, "lift_payout_quarantine", path, body, idempotency_key)

    async def list_refunds(self, payment_id: str) -> Page[Refund]:
        """The refunds of a payment, oldest first."""
        return await self._read(Page[Refund], "list_refunds", f"/v1/payments/{segment(payment_id)}/refunds")

    async def create_payout(
        self,
        *,
        account: str,
        amount: Amount,
        currency: str,
        provider: str | None = None,
        destination: str | None = None,
        description: str | None = None,
        mandate: str | None = None,
        acknowledge_duplicate: str | None = None,
        idempotency_key: str,
    ) -> Payout:
        """Pay out of one of your accounts; the money is held until the bank has it."""
        body = given(
            account=account,
            amount=exact(amount),
            currency=currency,
            provider=provider,
            destination=destination,
            description=description,
            mandate=mandate,
            acknowledge_duplicate=acknowledge_duplicate,
        )
        return await self._change(Payout, "create_payout", "/v1/payouts", body, idempotency_key)

    async def get_payout(self, payout_id: str) -> Payout:
        """One payout as it stands."""
        return await self._read(Payout, "get_payout", f"/v1/payouts/{segment(payout_id)}")

    async def list_payouts(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Payout]:
        """Payouts, newest first, a page at a time."""
        return await self._read(Page[Payout], "list_payouts", "/v1/payouts", given(cursor=cursor, limit=limit))

    def iterate_payouts(self) -> AsyncIterator[Payout]:
        """All payouts, newest first."""
        return items_of(lambda cursor: self.list_payouts(cursor=cursor, limit=500))

    async def list_disputes(
        self,
        *,
        payment: str | None = None,
        dispute_status: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Dispute]:
        """Disputes, those that began last first, a page at a time."""
        query = given(payment=payment, dispute_status=dispute_status, cursor=cursor, limit=limit)
        return await self._read(Page[Dispute], "list_disputes", "/v1/disputes", query)

    def iterate_disputes(
        self, *, payment: str | None = None, dispute_status: str | None = None
    ) -> AsyncIterator[Dispute]:
        """All disputes, those that began last first."""
        return items_of(
            lambda c: self.list_disputes(payment=payment, dispute_status=dispute_status, cursor=c, limit=500)
        )  # fmt: skip

    async def get_dispute(self, dispute_id: str) -> Dispute:
        """One dispute as it stands, by its provider's id."""
        return await self._read(Dispute, "get_dispute", f"/v1/disputes/{segment(dispute_id)}")
