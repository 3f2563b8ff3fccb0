"""Scorecards, and the bank statements that they score."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.lending import Application
from bursar.wire.scorecards import ApplicationStatement, Scorecard


class Scorecards(Room):
    """People say which cards score; agents read them, and hand in what they score."""

    async def list_scorecards(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Scorecard]:
        """Every version of every scorecard and where it stands, a page at a time."""
        return await self._read(Page[Scorecard], "list_scorecards", "/v1/scorecards", given(cursor=cursor, limit=limit))

    def iterate_scorecards(self) -> AsyncIterator[Scorecard]:
        """All of them, by name and version."""
        return items_of(lambda cursor: self.list_scorecards(cursor=cursor, limit=500))

    async def draft_scorecard(
        self,
        *,
        name: str,
        version: int,
        currency: str,
        under_minor: int,
        least_history_months: int,
        scale: Mapping[str, int],
        base_points: int,
        ramps: Sequence[Mapping[str, Any]],
        bands: Sequence[Mapping[str, Any]],
        fitted: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Scorecard:
        """Keep a new version of a scorecard, such as `bursar lending fit` writes; it scores nobody yet."""
        body = given(
            name=name, version=version, currency=currency, under_minor=under_minor,
            least_history_months=least_history_months, scale=scale, base_points=base_points, ramps=ramps, bands=bands,
            fitted=fitted,
        )  # fmt: skip
        return await self._change(Scorecard, "draft_scorecard", "/v1/scorecards", body, idempotency_key)

    async def activate_scorecard(self, scorecard: str, *, idempotency_key: str | None = None) -> Scorecard:
        """Have a version score."""
        path = f"/v1/scorecards/{segment(scorecard)}/activate"
        return await self._change(Scorecard, "activate_scorecard", path, None, idempotency_key)

    async def retire_scorecard(self, scorecard: str, *, idempotency_key: str | None = None) -> Scorecard:
        """Have a version score nobody any more."""
        path = f"/v1/scorecards/{segment(scorecard)}/retire"
        return await self._change(Scorecard, "retire_scorecard", path, None, idempotency_key)

    async def add_application_statement(
        self,
        application_id: str,
        *,
        version: int,
        origin: str,
        document: str | None = None,
        lines: Sequence[Mapping[str, Any]] | None = None,
        summary: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Application:
        """File a bank statement with an application, as lines or as a summary by months; the latest one counts."""
        body = given(version=version, origin=origin, document=document, lines=lines, summary=summary)
        path = f"/v1/applications/{segment(application_id)}/statements"
        return await self._change(Application, "add_application_statement", path, body, idempotency_key)

    async def get_application_statement(self, application_id: str) -> ApplicationStatement:
        """The statement of an application that counts."""
        path = f"/v1/applications/{segment(application_id)}/statements"
        return await self._read(ApplicationStatement, "get_application_statement", path)
