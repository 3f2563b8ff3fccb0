"""Mandates: what agents may do."""

from collections.abc import AsyncIterator
from datetime import datetime

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.approvals import Approval
from bursar.wire.fields import Page
from bursar.wire.freezes import Freeze, NewFreeze
from bursar.wire.mandates import Authority, Mandate, MandateTerms, MandateVersions


class Mandates(Room):
    """Only operators write mandates; an agent reads its own, and may ask for a change."""

    async def draft_mandate(
        self,
        *,
        name: str,
        terms: MandateTerms,
        agent: str | None = None,
        team: str | None = None,
        parent: str | None = None,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Mandate:
        """Write a mandate for an agent, a team or every agent; it allows nothing until it is activated."""
        body = given(
            name=name,
            terms=terms.model_dump(mode="json"),
            agent=agent,
            team=team,
            parent=parent,
            not_before=not_before,
            expires_at=expires_at,
        )
        return await self._change(Mandate, "draft_mandate", "/v1/mandates", body, idempotency_key)

    async def change_mandate(
        self, mandate_id: str, *, terms: MandateTerms, idempotency_key: str | None = None
    ) -> Mandate:
        """Give a mandate other terms, as its next version."""
        path = f"/v1/mandates/{segment(mandate_id)}/change"
        body = given(terms=terms.model_dump(mode="json"))
        return await self._change(Mandate, "change_mandate", path, body, idempotency_key)

    async def request_mandate_change(
        self, mandate_id: str, *, terms: MandateTerms, purpose: str, idempotency_key: str | None = None
    ) -> Approval:
        """Ask people for other terms of a mandate: fields that were not set on `terms` stay as they are."""
        path = f"/v1/mandates/{segment(mandate_id)}/requests"
        body = given(terms=terms.model_dump(mode="json", exclude_unset=True), purpose=purpose)
        return await self._change(Approval, "request_mandate_change", path, body, idempotency_key)

    async def activate_mandate(self, mandate_id: str, *, idempotency_key: str | None = None) -> Mandate:
        """Put a draft in force."""
        path = f"/v1/mandates/{segment(mandate_id)}/activate"
        return await self._change(Mandate, "activate_mandate", path, None, idempotency_key)

    async def pause_mandate(
        self, mandate_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> NewFreeze:
        """Take a mandate, and those below it, out of force by a freeze, which two operators lift."""
        path = f"/v1/mandates/{segment(mandate_id)}/pause"
        return await self._change(NewFreeze, "pause_mandate", path, given(reason=reason), idempotency_key)

    async def resume_mandate(self, mandate_id: str, *, idempotency_key: str | None = None) -> Freeze:
        """Ask to put a paused mandate in force again; the second operator who asks does."""
        path = f"/v1/mandates/{segment(mandate_id)}/resume"
        return await self._change(Freeze, "resume_mandate", path, None, idempotency_key)

    async def revoke_mandate(self, mandate_id: str, *, idempotency_key: str | None = None) -> Mandate:
        """End a mandate for good."""
        path = f"/v1/mandates/{segment(mandate_id)}/revoke"
        return await self._change(Mandate, "revoke_mandate", path, None, idempotency_key)

    async def get_mandate(self, mandate_id: str) -> Mandate:
        """One mandate as it stands."""
        return await self._read(Mandate, "get_mandate", f"/v1/mandates/{segment(mandate_id)}")

    async def list_mandates(
        self, *, agent: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[Mandate]:
        """Mandates, oldest first, a page at a time; those of one agent if asked."""
        query = given(agent=agent, cursor=cursor, limit=limit)
        return await self._read(Page[Mandate], "list_mandates", "/v1/mandates", query)

    def iterate_mandates(self, *, agent: str | None = None) -> AsyncIterator[Mandate]:
        """All mandates, oldest first; those of one agent if asked."""
        return items_of(lambda cursor: self.list_mandates(agent=agent, cursor=cursor, limit=500))

    async def list_mandate_versions(self, mandate_id: str) -> MandateVersions:
        """Every version of a mandate, oldest first."""
        path = f"/v1/mandates/{segment(mandate_id)}/versions"
        return await self._read(MandateVersions, "list_mandate_versions", path)

    async def get_authority(self, agent: str) -> Authority:
        """What an agent may do now, and what is left of its limits."""
        return await self._read(Authority, "get_authority", f"/v1/agents/{segment(agent)}/authority")
