"""FastAPI ends a dependency with `yield` after the answer has left, unless told otherwise: too late for a commit."""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncGenerator, Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

import bursar.api


def routers() -> list[APIRouter]:
    """The routers of all modules of the door."""
    names = [module.name for module in pkgutil.walk_packages(bursar.api.__path__, "bursar.api.")]
    found = [getattr(importlib.import_module(name), "router", None) for name in names]
    return [router for router in found if isinstance(router, APIRouter)]


def late(router: APIRouter) -> list[str]:
    """The routes with a dependency that ends after the answer."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    return [route.name for route in routes if any(is_late(needed) for needed in every(route.dependant))]


def every(dependant: Dependant) -> Iterator[Dependant]:
    """What a route depends on, however indirectly."""
    for needed in dependant.dependencies:
        yield needed
        yield from every(needed)


def is_late(needed: Dependant) -> bool:
    """Whether code of it runs after a `yield`, and only when the answer is on its way."""
    call = inspect.unwrap(needed.call) if needed.call else None
    if call is not None and not inspect.isroutine(call) and not inspect.isclass(call):
        call = type(call).__call__
    yields = inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call)
    return yields and needed.scope != "function"


def test_no_dependency_of_the_door_ends_after_the_answer() -> None:
    found = routers()
    assert sum(len(router.routes) for router in found) >= 30
    assert [name for router in found for name in late(router)] == []


async def transaction() -> AsyncGenerator[str]:
    yield "a transaction, say"


def indirectly(opened: Annotated[str, Depends(transaction)]) -> str:
    return opened


@pytest.mark.parametrize(
    ("needed", "is_late"),
    [
        (Depends(transaction), True),
        (Depends(transaction, scope="request"), True),
        (Depends(transaction, scope="function"), False),
        (Depends(indirectly), True),
        (Depends(lambda: "nothing to end"), False),
    ],
)
def test_a_dependency_that_would_end_after_the_answer_is_found(needed: object, is_late: bool) -> None:
    router = APIRouter()

    async def route(opened: object = needed) -> None:
        assert opened

    router.add_api_route("/", route)
    assert late(router) == (["route"] if is_late else [])
