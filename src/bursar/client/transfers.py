"""Transfers: money from one account to another, one or many at once, and back."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from bursar.client.arguments import Amount, exact, given, segment
from bursar.client.room import Room, items_of
from bursar.client.streaming import in_batches
from bursar.wire.fields import Page
from bursar.wire.mandates import CheckedTransfer
from bursar.wire.transfers import CreateTransfer, SettledTransfer, Transfer, TransferResult, TransferResults


class Transfers(Room):
    """Every call that moves money takes an `idempotency_key`: made once per intent, the same on every retry."""

    async def create_transfer(
        self,
        *,
        source: str,
        target: str,
        amount: Amount,
        currency: str,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        effective_at: datetime | None = None,
        mandate: str | None = None,
        acknowledge_duplicate: str | None = None,
        idempotency_key: str,
    ) -> Transfer:
        """Move money from `source` to `target`; raises `ApprovalPending` when a person must approve first."""
        body = given(
            source=source,
            target=target,
            amount=exact(amount),
            currency=currency,
            description=description,
            metadata=metadata,
            effective_at=effective_at,
            mandate=mandate,
            acknowledge_duplicate=acknowledge_duplicate,
        )
        return await self._change(Transfer, "create_transfer", "/v1/transfers", body, idempotency_key)

    async def create_transfers(
        self,
        *,
        mode: Literal["all_or_nothing", "each"],
        transfers: Sequence[CreateTransfer],
        idempotency_key: str,
    ) -> TransferResults:
        """Move money up to 5,000 times in one commit: all or nothing, or each on its own, in this order."""
        asked = [transfer.model_dump(mode="json", exclude_unset=True) for transfer in transfers]
        body = given(mode=mode, transfers=asked)
        return await self._change(TransferResults, "create_transfers", "/v1/transfers/batch", body, idempotency_key)

    def stream_transfers(
        self, transfers: Iterable[CreateTransfer] | AsyncIterable[CreateTransfer], *, idempotency_key: str
    ) -> AsyncIterator[TransferResult]:
        """Move money as often as there is something to read: each on its own, in this order. Raises StreamStopped.

        They go in batches of 1,000, under the key followed by `:1`, `:2` and so on, and the next ones are read when the
        last ones are done. Whatever stops it, the same stream under the same key goes on where it stopped.
        """

        async def send(batch: list[CreateTransfer], key: str) -> TransferResults:
            return await self.create_transfers(mode="each", transfers=batch, idempotency_key=key)

        return in_batches(transfers, send, idempotency_key)

    async def check_transfer(
        self,
        *,
        source: str,
        target: str,
        amount: Amount,
        currency: str,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        effective_at: datetime | None = None,
        mandate: str | None = None,
        acknowledge_duplicate: str | None = None,
        agent: str | None = None,
    ) -> CheckedTransfer:
        """What would become of a transfer if it were sent now; nothing moves."""
        body = given(
            source=source,
            target=target,
            amount=exact(amount),
            currency=currency,
            description=description,
            metadata=metadata,
            effective_at=effective_at,
            mandate=mandate,
            acknowledge_duplicate=acknowledge_duplicate,
            agent=agent,
        )
        return await self._change(CheckedTransfer, "check_transfer", "/v1/transfers/check", body, None)

    async def get_transfer(self, transfer_id: str) -> Transfer:
        """One transfer."""
        return await self._read(Transfer, "get_transfer", f"/v1/transfers/{segment(transfer_id)}")

    async def list_transfers(
        self, *, account: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[Transfer]:
        """Transfers, newest first, a page at a time; of one account if asked."""
        query = given(account=account, cursor=cursor, limit=limit)
        return await self._read(Page[Transfer], "list_transfers", "/v1/transfers", query)

    def iterate_transfers(self, *, account: str | None = None) -> AsyncIterator[Transfer]:
        """All transfers, newest first; of one account if asked."""
        return items_of(lambda cursor: self.list_transfers(account=account, cursor=cursor, limit=500))

    async def reverse_transfer(
        self,
        transfer_id: str,
        *,
        amount: Amount | None = None,
        description: str | None = None,
        idempotency_key: str,
    ) -> Transfer:
        """Take a transfer back: what is left of it, or `amount` of it."""
        path = f"/v1/transfers/{segment(transfer_id)}/reverse"
        body = given(amount=exact(amount), description=description)
        return await self._change(Transfer, "reverse_transfer", path, body, idempotency_key)

    async def settle_transfer(
        self, transfer_id: str, *, decision: str, reason: str, idempotency_key: str
    ) -> SettledTransfer:
        """Settle a transfer upstream without an answer: `ask_again`, then `made` or `not_made`; operators only."""
        path = f"/v1/transfers/{segment(transfer_id)}/settle"
        body = {"decision": decision, "reason": reason}
        return await self._change(SettledTransfer, "settle_transfer", path, body, idempotency_key)
