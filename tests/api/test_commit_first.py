"""Nothing is answered before it is committed: by the first byte of an answer, anybody can see what it tells."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx2
import psycopg
import pytest
from starlette.types import ASGIApp, Message

from tests.api.operations import Operation
from tests.api.sending import Request
from tests.api.serving import BASE
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing


class Onlooker:
    """Passes an answer on to nobody, and at its first byte looks for its effect over a connection of its own."""

    def __init__(self, app: ASGIApp, connection: psycopg.Connection) -> None:
        self._app = app
        self._connection = connection

    async def events_when_answered(self, operation: Operation, request: Request, headers: dict[str, str]) -> list[int]:
        """How many events there are before the request, at the first byte of the answer, and at the end."""
        seen = [self._events()]
        content = json.dumps(request.body).encode() if request.body else b""
        waiting: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> Message:
            return waiting.pop()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] < 300, operation.id
                seen.append(self._events())

        await self._app(self._scope(operation, request, headers), receive, send)
        return [*seen, self._events()]

    def _events(self) -> int:
        row = self._connection.execute("SELECT count(*) FROM bursar.event").fetchone()
        assert row
        return row[0]

    @staticmethod
    def _scope(operation: Operation, request: Request, headers: dict[str, str]) -> dict[str, Any]:
        named = {"host": BASE.removeprefix("http://"), "content-type": "application/json", **headers}
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": operation.method,
            "scheme": "http", "path": request.path, "raw_path": request.path.encode(), "root_path": "",
            "query_string": urlencode(request.query).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip


# What settles a break resolves its case, which is an event of its own, and so is the transfer.
# A payment is begun, captured and charged for by its provider.
EVENTS = {
    "accept_reconciliation_break": 2,
    "post_reconciliation_break": 3,
    "create_payment": 3,
    "confirm_payment": 3,
    "quick_payment": 3,
    # Two steps of a job besides; and a claim, a capture and the step.
    "create_agent_payment": 8,
    "mark_paid": 3,
    "create_payout": 2,
    "refund_payment": 4,
    "cancel_payment": 2,
    "capture_payment": 3,
    # What authority allowed, and what was decided.
    "decide_application": 2,
    "quick_decision": 2,
    "accept_offer": 2,
    # The money or the wish, and what it is to what the borrower owes.
    "disburse_loan": 2,
    "repay_loan": 2,
    "reverse_repayment": 2,
    "return_credit": 2,
    "waive_loan": 2,
    "charge_off_loan": 2,
    "write_off_loan": 2,
    # The loan is found late by whoever acts first for it; and what authority allowed.
    "create_reminder": 3,
    "create_promise": 2,
    # What people decided, where the payment stands now, its call, and the case.
    "lift_quarantine": 4,
    # And what was held, given back.
    "lift_payout_quarantine": 5,
    "settle_transfer": 6,
}


async def test_at_the_first_byte_of_an_answer_its_effect_is_there_for_everybody(
    app: ASGIApp, client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], database_url: str
) -> None:
    changing = [operation for operation in operations if operation.changes and not operation.needs_a_security_key]
    assert len(changing) >= 15
    with psycopg.connect(database_url, autocommit=True) as connection:
        onlooker = Onlooker(app, connection)
        for operation in changing:
            request = await Stock(client, tenant).request(operation)
            headers = bearing(tenant.operator)
            before, first_byte, end = await onlooker.events_when_answered(operation, request, headers)
            assert first_byte == end == before + EVENTS.get(operation.id, 1), operation.id


@pytest.mark.parametrize("kind", ["transfer", "hold"])
async def test_what_was_answered_is_durable_though_the_connection_that_wrote_it_is_cut(
    client: httpx2.AsyncClient, tenant: Tenant, database_url: str, kind: str
) -> None:
    stock = Stock(client, tenant)
    made = await (stock.transfer() if kind == "transfer" else stock.hold())
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    # The service finds out about each of its connections when it next uses it.
    answers = [await client.get(f"/v1/{kind}s/{made}", headers=bearing(tenant.agent)) for _ in range(10)]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert (answers[-1].status_code, answers[-1].json()["id"]) == (200, made)
