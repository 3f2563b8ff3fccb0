"""Collections: loans that are late, reminders, promises to pay, and the rules that reminders go by."""

from collections.abc import AsyncIterator
from typing import Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.collections import (
    AllContactRules,
    Collection,
    ContactRules,
    LoanPromise,
    Reminder,
    ReminderTemplate,
    ReminderTemplates,
)
from bursar.wire.fields import Page


class Collections(Room):
    """Agents claim the step of a collection's job and act with its `token`; people need none."""

    async def list_collections(
        self,
        *,
        is_open: bool | None = None,
        loan: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Collection]:
        """Loans that are or were late, oldest first, a page at a time."""
        query = given(is_open=is_open, loan=loan, cursor=cursor, limit=limit)
        return await self._read(Page[Collection], "list_collections", "/v1/collections", query)

    def iterate_collections(self, *, is_open: bool | None = None) -> AsyncIterator[Collection]:
        """All of them, oldest first."""
        return items_of(lambda cursor: self.list_collections(is_open=is_open, cursor=cursor, limit=500))

    async def create_reminder(
        self,
        loan_id: str,
        *,
        template: str,
        channel: Literal["webhook", "email"],
        token: int | None = None,
        mandate: str | None = None,
        idempotency_key: str,
    ) -> Reminder:
        """Remind the borrower; refused when the rules of contact do not allow it now, with the moment when they do."""
        body = given(template=template, channel=channel, token=token, mandate=mandate)
        return await self._change(Reminder, "create_reminder", f"{_path(loan_id)}/reminders", body, idempotency_key)

    async def list_reminders(
        self, loan_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[Reminder]:
        """The reminders of a loan, oldest first, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[Reminder], "list_reminders", f"{_path(loan_id)}/reminders", query)

    async def create_promise(
        self, loan_id: str, *, amount: str, due_on: str, token: int | None = None, idempotency_key: str | None = None
    ) -> LoanPromise:
        """Take down what the borrower promises to pay by the end of a day such as `2026-11-30`."""
        body = given(amount=amount, due_on=due_on, token=token)
        return await self._change(LoanPromise, "create_promise", f"{_path(loan_id)}/promises", body, idempotency_key)

    async def list_promises(self, loan_id: str) -> Page[LoanPromise]:
        """All promises about a loan, oldest first."""
        return await self._read(Page[LoanPromise], "list_promises", f"{_path(loan_id)}/promises")

    async def cancel_promise(self, promise_id: str, *, reason: str, idempotency_key: str | None = None) -> LoanPromise:
        """Take an open promise back; operators only."""
        path = f"/v1/promises/{segment(promise_id)}/cancel"
        return await self._change(LoanPromise, "cancel_promise", path, {"reason": reason}, idempotency_key)

    async def create_contact_rules(
        self,
        *,
        product: str | None = None,
        start: str | None = None,
        end: str | None = None,
        time_zone: str | None = None,
        most: int | None = None,
        days: int | None = None,
        promise_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> ContactRules:
        """Make a version of when and how often borrowers are reminded; operators only."""
        body = given(
            product=product, start=start, end=end, time_zone=time_zone, most=most, days=days, promise_days=promise_days
        )
        return await self._change(ContactRules, "create_contact_rules", "/v1/contact-rules", body, idempotency_key)

    async def list_contact_rules(self) -> AllContactRules:
        """Every version of the rules."""
        return await self._read(AllContactRules, "list_contact_rules", "/v1/contact-rules")

    async def create_reminder_template(
        self, *, name: str, subject: str, text: str, idempotency_key: str | None = None
    ) -> ReminderTemplate:
        """Make a version of the words of a reminder; operators only."""
        body = {"name": name, "subject": subject, "text": text}
        path = "/v1/reminder-templates"
        return await self._change(ReminderTemplate, "create_reminder_template", path, body, idempotency_key)

    async def list_reminder_templates(self) -> ReminderTemplates:
        """Every version of every template."""
        return await self._read(ReminderTemplates, "list_reminder_templates", "/v1/reminder-templates")


def _path(loan_id: str) -> str:
    return f"/v1/loans/{segment(loan_id)}"
