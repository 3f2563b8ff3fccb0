"""`/v1/credentials`: an operator enrols a security key."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer
from bursar.api.problems import WRITE_PROBLEMS
from bursar.api.routing import GatedRoute
from bursar.core.authority import security_keys
from bursar.core.authority.model import refused
from bursar.core.authority.security_keys import Attestation, Offer
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import InvalidArgument
from bursar.wire import credentials as wire

router = APIRouter(prefix="/v1/credentials", tags=["credentials"], route_class=GatedRoute)

# EdDSA, ECDSA on P-256, RSA: what authenticators have.
_ALGORITHMS = [-8, -7, -257]


@router.post("/options", response_model=wire.CredentialOptions, responses=WRITE_PROBLEMS)
async def start_credential(caller: CallerOf, key: OptionalIdempotencyKey = None) -> Response:
    """Get what a new security key of yours is to sign, once and within five minutes."""
    party = caller.door.relying_party

    async def work(tx: Tx, actor: Actor) -> tuple[wire.CredentialOptions, Happening]:
        offered = await security_keys.start_enrolment(tx, actor)
        told = Happening("credential.offered", "done", {}, show("prn", actor.principal_id))
        return _show(offered, party.id, actor), told

    ask = caller.ask("start_credential", key)
    return await caller.act(ask, work, json_answer)


@router.post("", status_code=201, response_model=wire.Credential, responses=WRITE_PROBLEMS)
async def create_credential(
    caller: CallerOf, body: wire.CreateCredential, key: OptionalIdempotencyKey = None
) -> Response:
    """Enrol a security key of yours; the one-time code says that it is you who does."""
    party = caller.door.relying_party
    attestation = Attestation(
        read_bytes("client_data", body.client_data), read_bytes("attestation_object", body.attestation_object)
    )

    async def work(tx: Tx, actor: Actor) -> tuple[wire.Credential | StepUpFailed, Happening]:
        made = await security_keys.enrol(tx, actor, party, attestation, body.code)
        if isinstance(made, StepUpFailed):
            return made, refused("create_credential", made)
        return wire.Credential(id=show_bytes(made[0])), made[1]

    ask = caller.ask("create_credential", key, body)
    return await caller.act(ask, work, lambda made: json_answer(made, 201))


def _show(offered: Offer, rp_id: str, actor: Actor) -> wire.CredentialOptions:
    return wire.CredentialOptions(
        challenge=show_bytes(offered.challenge),
        rp_id=rp_id,
        user_id=show_bytes(actor.principal_id.bytes),
        user_name=actor.name,
        algorithms=_ALGORITHMS,
        exclude_credential_ids=[show_bytes(each) for each in offered.credential_ids],
        expires_at=offered.expires_at,
    )


def show_bytes(value: bytes) -> str:
    """Bytes as browsers write them: base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def read_bytes(at: str, text: str) -> bytes:
    """Bytes as browsers write them; refuses what is none with the path to it."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise InvalidArgument(at, "is not base64url") from None
