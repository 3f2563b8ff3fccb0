"""Proof that an operator is there now by a security key (WebAuthn), which signs the very thing that is approved.

The package `webauthn` is an extra: where it is not installed everything here is refused.
"""

import secrets
from datetime import datetime
from importlib.util import find_spec
from typing import ClassVar, NamedTuple
from uuid import UUID

from bursar.core.authority import security_key_store as store
from bursar.core.authority import step_up
from bursar.core.authority.security_key_store import Challenge, Credential
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.authority.switches import OperatorNeeded
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import Conflict, Retry

# Long enough to find the key and touch it, too short to be carried elsewhere.
SECONDS_TO_SIGN = 300
_NONCE_BYTES = 32
# More than anybody uses, few enough to name them all in a challenge.
_MOST_CREDENTIALS = 10


class RelyingParty(NamedTuple):
    """For whom security keys sign: the domain, and the origin of the page that asks them to."""

    id: str = "localhost"
    origin: str = "http://localhost:8000"


NEAREST = RelyingParty()


class Attestation(NamedTuple):
    """What a security key says of itself when it is enrolled."""

    client_data: bytes
    attestation_object: bytes


class Assertion(NamedTuple):
    """What a security key has signed."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


class Signed(NamedTuple):
    """An assertion, and for whom it must have been made."""

    assertion: Assertion
    party: RelyingParty


class Offer(NamedTuple):
    """What a security key is asked to sign, until when, and the keys that the operator has."""

    challenge: bytes
    expires_at: datetime
    credential_ids: list[bytes]


class SecurityKeysUnavailable(Conflict):
    """Security keys cannot be used here."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Use a one-time code as `code`, or do what `detail` says."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """It is the state of the service, or of what is enrolled."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was decided."


class ChallengeOver(Conflict):
    """There is nothing for a security key to sign, or no longer."""

    retry: ClassVar[Retry] = "new_request"
    next: ClassVar[str] = "Ask for a new challenge and have your security key sign that."

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"


class SecurityKeyRefused(StepUpFailed):
    """The answer of the security key proves nothing."""

    next: ClassVar[str] = "Ask for a new challenge, have a security key of yours sign it, and send what it answers."

    @property
    def code(self) -> str:
        """It is the step-up that fails."""
        return "step_up_failed"


def refuse_without_package() -> None:
    """Say plainly that the extra is not installed."""
    if find_spec("webauthn") is None:
        raise SecurityKeysUnavailable("Whoever runs the service has not installed bursar[webauthn].")


async def start_enrolment(tx: Tx, actor: Actor) -> Offer:
    """Give an operator something that a new security key is to sign; those it has are named, to be left out."""
    if actor.kind != "operator":
        raise OperatorNeeded("Security keys are an operator's.")
    refuse_without_package()
    return await _offer(tx, actor.principal_id, actor.principal_id, b"")


async def enrol(
    tx: Tx, actor: Actor, party: RelyingParty, attestation: Attestation, code: str
) -> tuple[bytes, Happening] | StepUpFailed:
    """Enrol a security key of the caller's; its id. A wrong code is returned, its count to be committed.

    A key of the API alone must not be enough: whoever stole one could enrol a security key of their own.
    """
    if actor.kind != "operator":
        raise OperatorNeeded("Security keys are an operator's.")
    refuse_without_package()
    me = actor.principal_id
    challenge = await _good_challenge(tx, me, me)
    made = _enrolled(party, challenge.nonce, attestation)
    if len(await store.list_credentials(tx, me)) >= _MOST_CREDENTIALS:
        raise SecurityKeysUnavailable(f"You have {_MOST_CREDENTIALS} security keys, which is the most there can be.")
    # Last, so that no code is used up in vain.
    failed = await step_up.prove(tx, me, code)
    if failed:
        return failed
    if not await store.insert_credential(tx, me, made):
        raise SecurityKeysUnavailable("This security key is enrolled already.")
    store.mark_used(tx, me, [me])
    return made.id, Happening("credential.enrolled", "done", {"credential": made.id.hex()}, show("prn", me))


async def offer(tx: Tx, operator_id: UUID, approval_id: UUID, payload_hash: bytes) -> Offer:
    """What an operator's security key must sign to approve: a nonce and the hash of all the approval is bound to."""
    refuse_without_package()
    offered = await _offer(tx, operator_id, approval_id, payload_hash)
    if not offered.credential_ids:
        raise SecurityKeysUnavailable("You have no security key enrolled; enrol one with POST /v1/credentials.")
    return offered


async def prove(tx: Tx, operator_id: UUID, approval_id: UUID, payload_hash: bytes, signed: Signed) -> None:
    """Use up a challenge for an approval by what a security key of the operator's has signed; refuses anything else.

    Nothing is counted: a signature cannot be guessed.
    """
    refuse_without_package()
    challenge = await _good_challenge(tx, operator_id, approval_id)
    known = await store.lock_credential(tx, operator_id, signed.assertion.credential_id)
    if known is None:
        raise SecurityKeyRefused("This is no security key of yours.")
    count = _signed(signed, challenge.nonce + payload_hash, known)
    store.mark_used(tx, operator_id, [approval_id])
    store.mark_signed(tx, known.id, count)


async def _offer(tx: Tx, operator_id: UUID, subject_id: UUID, bound: bytes) -> Offer:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    until = await store.write_challenge(tx, operator_id, subject_id, nonce, SECONDS_TO_SIGN)
    return Offer(nonce + bound, until, await store.list_credentials(tx, operator_id))


async def _good_challenge(tx: Tx, operator_id: UUID, subject_id: UUID) -> Challenge:
    found = await store.lock_challenge(tx, operator_id, subject_id)
    if found is None or found.used_at or found.expires_at <= await reading.clock(tx):
        raise ChallengeOver
    return found


def _enrolled(party: RelyingParty, challenge: bytes, attestation: Attestation) -> Credential:
    """The security key behind an attestation to this challenge, made with the user verified."""
    # An extra that may be missing, and takes long to import.
    from webauthn import verify_registration_response  # noqa: PLC0415
    from webauthn.helpers.structs import AuthenticatorAttestationResponse, RegistrationCredential  # noqa: PLC0415

    try:
        made = verify_registration_response(
            # The id is taken from what was attested, not from beside it.
            credential=RegistrationCredential(
                "", b"", AuthenticatorAttestationResponse(attestation.client_data, attestation.attestation_object)
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 -- whatever the bytes of a stranger do to a parser, the answer is no
        raise SecurityKeyRefused("The answer of the security key is not one to this challenge.") from None
    return Credential(made.credential_id, made.credential_public_key, made.sign_count)


def _signed(signed: Signed, challenge: bytes, known: Credential) -> int:
    """How often the security key says it has signed, if it has signed this challenge with the user verified."""
    # An extra that may be missing, and takes long to import.
    from webauthn import verify_authentication_response  # noqa: PLC0415
    from webauthn.helpers import bytes_to_base64url  # noqa: PLC0415
    from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorAssertionResponse  # noqa: PLC0415

    (credential_id, client_data, authenticator_data, signature), party = signed
    try:
        verified = verify_authentication_response(
            credential=AuthenticationCredential(
                bytes_to_base64url(credential_id),
                credential_id,
                AuthenticatorAssertionResponse(client_data, authenticator_data, signature),
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 -- whatever the bytes of a stranger do to a parser, the answer is no
        raise SecurityKeyRefused("The security key has not signed this challenge for this approval.") from None
    return verified.new_sign_count
