"""The application: one FastAPI behind one intake, over one door."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bursar import __version__
from bursar.api.docs import add_docs
from bursar.api.door import Door
from bursar.api.intake import Intake
from bursar.api.problems import InternalError, MethodNotAllowed, NoSuchEndpoint, invalid_request, response_of
from bursar.api.quickstart import agents as agent_payments
from bursar.api.quickstart import fintech, retail, startup
from bursar.api.quickstart import lending as quick_lending
from bursar.api.routes import (
    accounts,
    agents,
    application_statements,
    applications,
    approvals,
    cases,
    collections,
    contact_rules,
    counterparties,
    credentials,
    customers,
    disputes,
    events,
    freezes,
    health,
    holds,
    job_definitions,
    job_steps,
    job_trail,
    jobs,
    keys,
    loan_adjustments,
    loan_portfolio,
    loan_products,
    loan_statements,
    loans,
    mandates,
    notifications,
    payments,
    payouts,
    reconciliation,
    risk,
    scorecards,
    transfers,
    upstream,
    webhooks,
)
from bursar.api.routing import lean_routes
from bursar.api.telemetry import Telemetry
from bursar.kernel.refusal import Refusal
from bursar.wire.problems import Problem

_ABOUT = """The system of record that AI agents go through to move money.

Every call that moves money takes an `Idempotency-Key`: make it once per intent and send the same value on every retry.
Amounts are exact decimal text in major units beside an ISO 4217 currency. Errors are problem objects (RFC 9457) that
say which fact decided, whether money moved (`no`, `yes`, `unknown`), and what to do next.
"""

_MODULES = (
    accounts, transfers, holds, events, agents, keys, mandates, approvals, counterparties, freezes, risk, fintech,
    retail, health, credentials, cases, payments, payouts, disputes, customers, webhooks, job_definitions, jobs,
    job_steps, job_trail, notifications, reconciliation, startup, agent_payments, upstream, loan_products,
    applications, quick_lending, loans, loan_adjustments, loan_statements, loan_portfolio,
    scorecards, application_statements, collections, contact_rules,
)  # fmt: skip

OpenDoor = Callable[[], AbstractAsyncContextManager[Door]]


def create_app(open_door: OpenDoor, *, local_only: bool) -> ASGIApp:
    """The ASGI application; `open_door` is entered when it starts and left when it stops."""
    telemetry = Telemetry()
    lean = lean_routes(route for module in _MODULES for route in module.router.routes)
    return Intake(create_api(open_door, telemetry), lean, local_only=local_only, telemetry=telemetry)


def create_api(open_door: OpenDoor, telemetry: Telemetry) -> FastAPI:
    """The FastAPI application without its intake: what `openapi.json` is made of."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_door() as door:
            app.state.door = door
            yield

    app = FastAPI(
        title="Bursar",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirect would be built from the caller's Host, and no operation documents it.
        redirect_slashes=False,
    )
    app.state.telemetry = telemetry
    for module in _MODULES:
        app.include_router(module.router)
    app.include_router(startup.webhooks)
    add_docs(app)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)
    _document_problems(app)
    return app


def _request_id(request: Request) -> str:
    return request.scope["bursar"]["request_id"]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return response_of(error, _request_id(request))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response_of(invalid_request(error.errors()), _request_id(request))


async def _http(request: Request, error: Exception) -> Response:
    """The framework's own errors: no such path, no such method."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return response_of(NoSuchEndpoint(), _request_id(request))
    response = response_of(MethodNotAllowed(), _request_id(request))
    # Starlette names the methods of the first route with this path only.
    response.headers["Allow"] = ", ".join(sorted(_methods(request.url.path))) or (error.headers or {})["Allow"]
    return response


async def _failed(request: Request, _: Exception) -> Response:
    """Answer a bug; the framework then raises it on to the intake, which notes it."""
    return response_of(InternalError(), _request_id(request))


def _methods(path: str) -> set[str]:
    routes = [route for module in _MODULES for route in module.router.routes if isinstance(route, Route)]
    named = [route for route in routes if route.path == path] or [r for r in routes if r.path_regex.match(path)]
    return {method for route in named for method in route.methods or ()}


def _document_problems(app: FastAPI) -> None:
    """Name the problem shape once; routes refer to it. FastAPI's own 422 shape is not what we answer."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        document = build()
        schemas = document["components"]["schemas"]
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = openapi
