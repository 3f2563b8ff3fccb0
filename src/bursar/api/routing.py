"""A route that reads the body as the gate parsed it, so that numbers stay exact and nothing is parsed twice."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


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
