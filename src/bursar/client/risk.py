"""Risk: versions of the rules, trials, and why a payment has its score."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.risk import RiskAssessment, RiskComparison, RiskVersion


class Risk(Room):
    """For operators only: who knows the thresholds can stay below them."""

    async def list_risk_rules(self, *, cursor: str | None = None, limit: int | None = None) -> Page[RiskVersion]:
        """Versions of the rules and where they stand, in order of their numbers, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[RiskVersion], "list_risk_rules", "/v1/risk/rules", query)

    def iterate_risk_rules(self) -> AsyncIterator[RiskVersion]:
        """All versions, in order of their numbers."""
        return items_of(lambda cursor: self.list_risk_rules(cursor=cursor, limit=500))

    async def draft_risk_rules(
        self,
        *,
        version: int,
        velocity: Mapping[str, Any],
        new_payee: Mapping[str, Any],
        unusual_hour: Mapping[str, Any],
        amount_outlier: Mapping[str, Any],
        structuring: Mapping[str, Any],
        dormant: Mapping[str, Any],
        outcomes: Mapping[str, Any],
        idempotency_key: str | None = None,
    ) -> RiskVersion:
        """Keep a new version of the rules; it decides nothing yet."""
        body = given(
            version=version,
            velocity=velocity,
            new_payee=new_payee,
            unusual_hour=unusual_hour,
            amount_outlier=amount_outlier,
            structuring=structuring,
            dormant=dormant,
            outcomes=outcomes,
        )
        return await self._change(RiskVersion, "draft_risk_rules", "/v1/risk/rules", body, idempotency_key)

    async def shadow_risk_rules(self, version: int, *, idempotency_key: str | None = None) -> RiskVersion:
        """Try a version: it assesses every payment beside the one in force, and changes nothing."""
        return await self._bring("shadow", version, idempotency_key)

    async def activate_risk_rules(self, version: int, *, idempotency_key: str | None = None) -> RiskVersion:
        """Put a version in force, in place of the one that is."""
        return await self._bring("activate", version, idempotency_key)

    async def retire_risk_rules(self, version: int, *, idempotency_key: str | None = None) -> RiskVersion:
        """Take a version out of force or off trial."""
        return await self._bring("retire", version, idempotency_key)

    async def compare_risk_rules(self, *, start: datetime | None = None, end: datetime | None = None) -> RiskComparison:
        """What versions on trial said beside those in force; `end` is the first moment not included."""
        query = given(start=start, end=end)
        return await self._read(RiskComparison, "compare_risk_rules", "/v1/risk/comparison", query)

    async def get_risk_assessment(self, event_id: str) -> RiskAssessment:
        """Why the decision of this event has its score."""
        path = f"/v1/risk/assessments/{segment(event_id)}"
        return await self._read(RiskAssessment, "get_risk_assessment", path)

    async def _bring(self, verb: str, version: int, key: str | None) -> RiskVersion:
        path = f"/v1/risk/rules/{version}/{verb}"
        return await self._change(RiskVersion, f"{verb}_risk_rules", path, None, key)
