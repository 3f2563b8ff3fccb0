"""Approvals: what waits for a person."""

from collections.abc import AsyncIterator

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.approvals import Approval, ApprovalDetail, ApprovalStatus
from bursar.wire.credentials import ApprovalChallenge, KeyAssertion
from bursar.wire.fields import Page


class Approvals(Room):
    """Only operators decide; an agent sees and cancels its own."""

    async def list_approvals(
        self, *, status: ApprovalStatus | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[Approval]:
        """Approvals, oldest first, a page at a time; in one status if asked."""
        query = given(status=status, cursor=cursor, limit=limit)
        return await self._read(Page[Approval], "list_approvals", "/v1/approvals", query)

    def iterate_approvals(self, *, status: ApprovalStatus | None = None) -> AsyncIterator[Approval]:
        """All approvals, oldest first; in one status if asked."""
        return items_of(lambda cursor: self.list_approvals(status=status, cursor=cursor, limit=500))

    async def get_approval(self, approval_id: str) -> ApprovalDetail:
        """One approval: what the system knows, and beside it the agent's own words."""
        return await self._read(ApprovalDetail, "get_approval", f"/v1/approvals/{segment(approval_id)}")

    async def approve_approval(
        self,
        approval_id: str,
        *,
        payload_hash: str,
        code: str | None = None,
        assertion: KeyAssertion | None = None,
        idempotency_key: str | None = None,
    ) -> Approval:
        """Vote for what has the `payload_hash` you saw; `code` or `assertion` proves you where it asks for it."""
        path = f"/v1/approvals/{segment(approval_id)}/approve"
        signed = assertion.model_dump(mode="json") if assertion else None
        body = given(payload_hash=payload_hash, code=code, assertion=signed)
        return await self._change(Approval, "approve_approval", path, body, idempotency_key)

    async def create_challenge(self, approval_id: str, *, idempotency_key: str | None = None) -> ApprovalChallenge:
        """Get what a security key of yours must sign to approve this, once and within five minutes."""
        path = f"/v1/approvals/{segment(approval_id)}/challenge"
        return await self._change(ApprovalChallenge, "create_challenge", path, None, idempotency_key)

    async def reject_approval(self, approval_id: str, *, reason: str, idempotency_key: str | None = None) -> Approval:
        """End it by a no: what was set aside is given back."""
        path = f"/v1/approvals/{segment(approval_id)}/reject"
        return await self._change(Approval, "reject_approval", path, given(reason=reason), idempotency_key)

    async def cancel_approval(self, approval_id: str, *, idempotency_key: str | None = None) -> Approval:
        """Take a pending one back: an agent its own, an operator any."""
        path = f"/v1/approvals/{segment(approval_id)}/cancel"
        return await self._change(Approval, "cancel_approval", path, None, idempotency_key)
