"""Holds: funds set aside, then captured or released."""

from collections.abc import Mapping
from datetime import datetime

from bursar.client.arguments import Amount, exact, given, segment
from bursar.client.room import Room
from bursar.wire.holds import Hold


class Holds(Room):
    """A hold is pending until it is captured, released, or its time is over."""

    async def create_hold(
        self,
        *,
        account: str,
        amount: Amount,
        currency: str,
        target: str | None = None,
        expires_at: datetime | None = None,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Hold:
        """Set funds aside: they stay on the account but nobody else can spend them."""
        body = given(
            account=account,
            target=target,
            amount=exact(amount),
            currency=currency,
            expires_at=expires_at,
            description=description,
            metadata=metadata,
        )
        return await self._change(Hold, "create_hold", "/v1/holds", body, idempotency_key)

    async def get_hold(self, hold_id: str) -> Hold:
        """One hold."""
        return await self._read(Hold, "get_hold", f"/v1/holds/{segment(hold_id)}")

    async def capture_hold(
        self, hold_id: str, *, amount: Amount | None = None, target: str | None = None, idempotency_key: str
    ) -> Hold:
        """Post a hold in full, or `amount` of it; what is not captured is released."""
        path = f"/v1/holds/{segment(hold_id)}/capture"
        body = given(amount=exact(amount), target=target)
        return await self._change(Hold, "capture_hold", path, body, idempotency_key)

    async def release_hold(self, hold_id: str, *, idempotency_key: str) -> Hold:
        """Give the held funds back."""
        return await self._change(Hold, "release_hold", f"/v1/holds/{segment(hold_id)}/release", None, idempotency_key)
