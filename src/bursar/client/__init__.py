"""The typed async client: a method for each operation, the same shapes as at the door, retries that never pay twice."""

from types import TracebackType
from typing import Self

import httpx2

from bursar.client.accounts import Accounts
from bursar.client.agents import Agents
from bursar.client.approvals import Approvals
from bursar.client.arguments import header_text
from bursar.client.cases import Cases
from bursar.client.collections import Collections
from bursar.client.connection import Connection, OnReply, Reply
from bursar.client.counterparties import Counterparties
from bursar.client.credentials import Credentials
from bursar.client.customers import Customers
from bursar.client.events import Events
from bursar.client.failures import AnswerLost, ApprovalPending, BursarProblem, CallFailed, Unreachable
from bursar.client.freezes import Freezes
from bursar.client.holds import Holds
from bursar.client.jobs import Jobs
from bursar.client.keys import Keys
from bursar.client.lending import Lending
from bursar.client.loans import Loans
from bursar.client.mandates import Mandates
from bursar.client.notifications import Notifications
from bursar.client.payments import Payments
from bursar.client.portfolio import Portfolio
from bursar.client.quickstart import Quickstart
from bursar.client.reconciliation import Reconciliation
from bursar.client.risk import Risk
from bursar.client.scorecards import Scorecards
from bursar.client.service import Service
from bursar.client.streaming import StreamStopped
from bursar.client.transfers import Transfers

__all__ = [
    "AnswerLost",
    "ApprovalPending",
    "Bursar",
    "BursarProblem",
    "CallFailed",
    "Reply",
    "StreamStopped",
    "Unreachable",
]

# Shorter than the five seconds after which the service closes an idle connection, so that no request meets the closing.
_IDLE_SECONDS = 2.0


class Bursar(
    Accounts,
    Transfers,
    Holds,
    Events,
    Agents,
    Keys,
    Mandates,
    Approvals,
    Credentials,
    Counterparties,
    Freezes,
    Risk,
    Payments,
    Customers,
    Cases,
    Jobs,
    Notifications,
    Reconciliation,
    Lending,
    Scorecards,
    Loans,
    Portfolio,
    Collections,
    Quickstart,
    Service,
):
    """A service of Bursar and whoever the key belongs to; use it as an async context manager, from one event loop."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        attempts: int = 3,
        connect_seconds: float = 5.0,
        answer_seconds: float = 30.0,
        transport: httpx2.AsyncBaseTransport | None = None,
        on_reply: OnReply | None = None,
    ) -> None:
        """Without `api_key` only the sandbox's quickstart answers. `on_reply` hears of every answer, replays too.

        `attempts` bounds how often one call is sent in all; `transport` replaces the network, for tests.
        """
        client = httpx2.AsyncClient(
            base_url=base_url,
            headers={} if api_key is None else {"Authorization": f"Bearer {header_text(api_key, 'api_key')}"},
            timeout=httpx2.Timeout(answer_seconds, connect=connect_seconds),
            limits=httpx2.Limits(keepalive_expiry=_IDLE_SECONDS),
            transport=transport,
        )
        super().__init__(Connection(client, attempts, on_reply))

    async def __aenter__(self) -> Self:
        """Open the connections."""
        await self._connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._connection.close()
