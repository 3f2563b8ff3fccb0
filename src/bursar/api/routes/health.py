"""Whether the service lives, whether it can work, and what it counts."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from bursar.api.problems import documented
from bursar.api.routing import GatedRoute
from bursar.core.ledger import reading

router = APIRouter(tags=["service"], route_class=GatedRoute)


@router.get("/healthz", responses=documented())
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=documented(503))
async def readyz(request: Request) -> dict[str, str]:
    """The database answers too."""
    async with request.app.state.door.database.transaction(read_only=True) as tx:
        await reading.clock(tx)
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **documented()})
async def metrics(request: Request) -> Response:
    """Counts and times in Prometheus' text form."""
    return Response(request.app.state.telemetry.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
