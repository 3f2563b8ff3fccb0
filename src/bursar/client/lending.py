"""Lending: products, applications and their decisions."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.lending import Application, ApplicationEvent
from bursar.wire.loan_products import LoanProduct

Status = Literal["draft", "submitted", "review", "approved", "rejected", "offered", "accepted", "withdrawn", "expired"]
Decision = Literal["approved", "rejected", "review"]


class Lending(Room):
    """Agents take in and decide within their mandates; people make products and decide reviews."""

    async def create_loan_product(
        self,
        *,
        code: str,
        account: str,
        currency: str,
        min_amount: str,
        max_amount: str,
        min_installments: int,
        max_installments: int,
        rate_ppm: int,
        method: str | None = None,
        interest_on: str | None = None,
        balloon_ppm: int | None = None,
        day_count: str | None = None,
        every: int | None = None,
        unit: str | None = None,
        rhythm: dict[str, Any] | None = None,
        charges: dict[str, Any] | None = None,
        provisions: dict[str, int] | None = None,
        allocation: Sequence[str] | None = None,
        consents: Sequence[str] | None = None,
        policy: dict[str, Any] | None = None,
        application_days: int | None = None,
        offer_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> LoanProduct:
        """Make a version of a product; operators only."""
        body = given(
            code=code, account=account, currency=currency, min_amount=min_amount, max_amount=max_amount,
            min_installments=min_installments, max_installments=max_installments, rate_ppm=rate_ppm,
            method=method, interest_on=interest_on, balloon_ppm=balloon_ppm, day_count=day_count, every=every,
            unit=unit, rhythm=rhythm, charges=charges, provisions=provisions, allocation=allocation, consents=consents,
            policy=policy, application_days=application_days, offer_days=offer_days,
        )  # fmt: skip
        return await self._change(LoanProduct, "create_loan_product", "/v1/loan-products", body, idempotency_key)

    async def list_loan_products(self, *, cursor: str | None = None, limit: int | None = None) -> Page[LoanProduct]:
        """Every version of every product, a page at a time."""
        return await self._read(
            Page[LoanProduct], "list_loan_products", "/v1/loan-products", given(cursor=cursor, limit=limit)
        )

    async def create_application(
        self,
        *,
        product: str,
        applicant_name: str,
        email: str,
        amount: str,
        currency: str,
        installments: int,
        purpose: str | None = None,
        time_zone: str | None = None,
        monthly_income: str | None = None,
        monthly_debt_service: str | None = None,
        origins: Sequence[dict[str, Any]] | None = None,
        documents: Sequence[dict[str, Any]] | None = None,
        consents: Sequence[dict[str, Any]] | None = None,
        decider: str | None = None,
        follows: str | None = None,
        idempotency_key: str | None = None,
    ) -> Application:
        """Take in an application, a draft; refused while the e-mail has one that is not over."""
        body = given(
            product=product, applicant_name=applicant_name, email=email, amount=amount, currency=currency,
            installments=installments, purpose=purpose, time_zone=time_zone, monthly_income=monthly_income,
            monthly_debt_service=monthly_debt_service, origins=origins, documents=documents, consents=consents,
            decider=decider, follows=follows,
        )  # fmt: skip
        return await self._change(Application, "create_application", "/v1/applications", body, idempotency_key)

    async def list_applications(
        self,
        *,
        status: Status | None = None,
        email: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Application]:
        """Applications, oldest first, a page at a time: an agent's own, or all of them."""
        query = given(status=status, email=email, cursor=cursor, limit=limit)
        return await self._read(Page[Application], "list_applications", "/v1/applications", query)

    def iterate_applications(self, *, status: Status | None = None) -> AsyncIterator[Application]:
        """All applications, oldest first."""
        return items_of(lambda cursor: self.list_applications(status=status, cursor=cursor, limit=500))

    async def get_application(self, application_id: str) -> Application:
        """One application as it stands, with its decisions."""
        return await self._read(Application, "get_application", _path(application_id))

    async def list_application_events(
        self, application_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[ApplicationEvent]:
        """The trail of an application, oldest first, a page at a time."""
        path = f"{_path(application_id)}/events"
        return await self._read(
            Page[ApplicationEvent], "list_application_events", path, given(cursor=cursor, limit=limit)
        )

    async def change_application(
        self,
        application_id: str,
        *,
        version: int,
        applicant_name: str | None = None,
        amount: str | None = None,
        installments: int | None = None,
        purpose: str | None = None,
        time_zone: str | None = None,
        monthly_income: str | None = None,
        monthly_debt_service: str | None = None,
        origins: Sequence[dict[str, Any]] | None = None,
        documents: Sequence[dict[str, Any]] | None = None,
        consents: Sequence[dict[str, Any]] | None = None,
        idempotency_key: str | None = None,
    ) -> Application:
        """Enter other facts of the version you looked at; a newer one is refused."""
        body = given(
            version=version, applicant_name=applicant_name, amount=amount, installments=installments, purpose=purpose,
            time_zone=time_zone, monthly_income=monthly_income, monthly_debt_service=monthly_debt_service,
            origins=origins, documents=documents, consents=consents,
        )  # fmt: skip
        path = f"{_path(application_id)}/change"
        return await self._change(Application, "change_application", path, body, idempotency_key)

    async def submit_application(
        self, application_id: str, *, version: int, idempotency_key: str | None = None
    ) -> Application:
        """Say that it is ready to be decided."""
        path = f"{_path(application_id)}/submit"
        return await self._change(Application, "submit_application", path, {"version": version}, idempotency_key)

    async def withdraw_application(
        self, application_id: str, *, version: int, reason: str | None = None, idempotency_key: str | None = None
    ) -> Application:
        """The applicant no longer wants the loan."""
        path = f"{_path(application_id)}/withdraw"
        body = given(version=version, reason=reason)
        return await self._change(Application, "withdraw_application", path, body, idempotency_key)

    async def decide_application(
        self,
        application_id: str,
        *,
        version: int,
        decision: Decision,
        reason: str | None = None,
        mandate: str | None = None,
        idempotency_key: str,
    ) -> Application:
        """Approve, reject, or have a person look; raises ApprovalPending when your mandate asks for a person's yes."""
        path = f"{_path(application_id)}/decide"
        body = given(version=version, decision=decision, reason=reason, mandate=mandate)
        return await self._change(Application, "decide_application", path, body, idempotency_key)

    async def make_offer(self, application_id: str, *, version: int, idempotency_key: str | None = None) -> Application:
        """Offer what was approved."""
        path = f"{_path(application_id)}/offer"
        return await self._change(Application, "make_offer", path, {"version": version}, idempotency_key)

    async def accept_offer(
        self,
        application_id: str,
        *,
        version: int,
        terms_hash: str,
        mandate: str | None = None,
        idempotency_key: str,
    ) -> Application:
        """Take the loan on the very terms that were offered."""
        path = f"{_path(application_id)}/accept"
        body = given(version=version, terms_hash=terms_hash, mandate=mandate)
        return await self._change(Application, "accept_offer", path, body, idempotency_key)


def _path(application_id: str) -> str:
    return f"/v1/applications/{segment(application_id)}"
