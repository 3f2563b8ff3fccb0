"""Accounts, balances and statements."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Literal

from bursar.client.arguments import Amount, exact, given, segment
from bursar.client.room import Room, items_of
from bursar.wire.accounts import Account, Balance, Floor, Statement
from bursar.wire.fields import Page


class Accounts(Room):
    """An account is named by its number or its id."""

    async def open_account(
        self,
        *,
        number: str,
        name: str,
        currency: str,
        normal_side: Literal["debit", "credit"] | None = None,
        floor: Floor | None = None,
        credit_limit: Amount | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Account:
        """Open an account with a zero balance."""
        body = given(
            number=number,
            name=name,
            currency=currency,
            normal_side=normal_side,
            floor=floor,
            credit_limit=exact(credit_limit),
            metadata=metadata,
        )
        return await self._change(Account, "open_account", "/v1/accounts", body, idempotency_key)

    async def get_account(self, account: str) -> Account:
        """One account as it stands."""
        return await self._read(Account, "get_account", f"/v1/accounts/{segment(account)}")

    async def list_accounts(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Account]:
        """Accounts, oldest first, a page at a time."""
        return await self._read(Page[Account], "list_accounts", "/v1/accounts", given(cursor=cursor, limit=limit))

    async def mark_account_upstream(self, account: str, *, number: str, idempotency_key: str | None = None) -> Account:
        """Say that an account's money lives upstream, under this number there, for good."""
        path = f"/v1/accounts/{segment(account)}/upstream"
        return await self._change(Account, "mark_account_upstream", path, given(number=number), idempotency_key)

    def iterate_accounts(self) -> AsyncIterator[Account]:
        """All accounts, oldest first."""
        return items_of(lambda cursor: self.list_accounts(cursor=cursor, limit=500))

    async def get_balance(self, account: str, *, at: datetime | None = None) -> Balance:
        """The balance now, or with `at` the posted balance of a past moment."""
        return await self._read(Balance, "get_balance", f"/v1/accounts/{segment(account)}/balance", given(at=at))

    async def get_statement(
        self,
        account: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Statement:
        """Opening balance, lines with running balance, closing balance; `end` is the first moment not included."""
        query = given(start=start, end=end, cursor=cursor, limit=limit)
        return await self._read(Statement, "get_statement", f"/v1/accounts/{segment(account)}/statement", query)

    async def freeze_account(self, account: str, *, idempotency_key: str | None = None) -> Account:
        """Refuse new debits and holds from now on; not with an agent's key."""
        return await self._turn("freeze", account, idempotency_key)

    async def unfreeze_account(self, account: str, *, idempotency_key: str | None = None) -> Account:
        """Ask to take debits again; the second operator who asks opens it."""
        return await self._turn("unfreeze", account, idempotency_key)

    async def close_account(self, account: str, *, idempotency_key: str | None = None) -> Account:
        """Close an account without balance and holds, for good; not with an agent's key."""
        return await self._turn("close", account, idempotency_key)

    async def _turn(self, verb: str, account: str, key: str | None) -> Account:
        path = f"/v1/accounts/{segment(account)}/{verb}"
        return await self._change(Account, f"{verb}_account", path, None, key)
