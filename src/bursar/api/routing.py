"""A route that reads the body as the gate parsed it, so that numbers stay exact and nothing is parsed twice."""

import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.routing import BaseRoute
from starlette.types import Scope

from bursar.api.door import KEY_HEADER, KEY_SHAPE, Door, caller_of
from bursar.api.problems import invalid_request

_KEY = KEY_HEADER.lower().encode()


class GatedRequest(Request):
    """A request whose JSON is what passed the gate."""

    async def json(self) -> Any:
        """The parsed body."""
        return self.scope["bursar"]["json"]


class GatedRoute(APIRoute):
    """FastAPI's route, over gated requests; operation ids are the names of the route functions."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As FastAPI's own."""
        options["operation_id"] = options.get("operation_id") or endpoint.__name__
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the gate."""
        handle = super().get_route_handler()

        async def gated(request: Request) -> Response:
            return await handle(GatedRequest(request.scope, request.receive))

        return gated


class LeanRoute:
    """A way around the framework's work per request, for routes whose endpoint takes `caller`, `body` and `key` only.

    Same shapes, same answers, same OpenAPI entry; the intake calls it on the route's exact path.
    """

    def __init__(self, route: GatedRoute) -> None:
        """Read from the endpoint's signature what to validate."""
        self._route = route
        self._endpoint: Callable[..., Coroutine[Any, Any, Response]] = route.endpoint
        shape: type[BaseModel] = get_type_hints(route.endpoint)["body"]
        self._validated = shape.__pydantic_validator__.validate_python
        self._key_required = inspect.signature(route.endpoint).parameters["key"].default is inspect.Parameter.empty

    async def answer(self, scope: Scope, door: Door) -> Response:
        """Answer one request that the intake has taken in."""
        scope["route"] = self._route
        taken = scope["bursar"]
        headers: Mapping[bytes, bytes] = taken["headers"]
        caller = await caller_of(door, taken["request_id"], headers.get(b"authorization", b"").decode("latin-1"))
        key = headers[_KEY].decode("latin-1") if _KEY in headers else None
        errors = self._errors_of_key(key)
        try:
            body = self._validated(taken["json"])
        except ValidationError as error:
            raise invalid_request([*errors, *error.errors(include_url=False, include_input=False)]) from None
        if errors:
            raise invalid_request(errors)
        return await self._endpoint(caller=caller, body=body, key=key)

    def _errors_of_key(self, key: str | None) -> list[dict[str, Any]]:
        if key is None:
            missing = {"loc": ("header", KEY_HEADER), "type": "missing", "msg": "Field required"}
            return [missing] if self._key_required else []
        if KEY_SHAPE.fullmatch(key):
            return []
        return [{"loc": ("header", KEY_HEADER), "type": "string_pattern_mismatch", "msg": ""}]


def lean_routes(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], LeanRoute]:
    """The routes that can be answered leanly, by method and path."""
    fitting = [r for r in routes if isinstance(r, GatedRoute) and _fits(r.endpoint)]
    return {(method, route.path): LeanRoute(route) for route in fitting for method in route.methods or ()}


def _fits(endpoint: Callable[..., Any]) -> bool:
    return set(inspect.signature(endpoint).parameters) == {"caller", "body", "key"}
