"""`POST /v1/webhooks/{provider}`: what providers tell us. Nobody has a key here; the signature is all that counts."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bursar.api.door import Door
from bursar.features.payments.calling import Shop
from bursar.features.payments.inbox import receive

# Not in the document of the API: it is for providers, and no client of ours calls it.
router = APIRouter(prefix="/v1/webhooks", include_in_schema=False)


@router.post("/{provider}")
async def receive_webhook(request: Request, provider: str) -> Response:
    """Verify over the raw bytes, take in once, apply: answered after the commit, so that what is lost comes again."""
    door: Door = request.app.state.door
    await receive(Shop(door.database, door.providers), provider, await request.body(), request.headers)
    return JSONResponse({"received": True})
