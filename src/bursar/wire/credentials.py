"""Operators' security keys on the wire. Bytes are base64url without padding, as browsers write them."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Time, Told

_BASE64URL = r"^[A-Za-z0-9_-]+$"
# The longest is an attestation without certificates, which is what browsers make unless asked for more.
Bytes = Annotated[str, Field(pattern=_BASE64URL, max_length=2800, examples=["AAECAw"])]
OneTimeCode = Annotated[str, Field(pattern=r"^[0-9]{6}$", examples=["123456"])]
ToldBytes = Annotated[str, Field(examples=["AAECAw"], description="base64url without padding.")]


class KeyAssertion(Asked):
    """What `navigator.credentials.get` answers: `rawId`, and three members of `response`."""

    credential_id: Bytes
    client_data: Annotated[Bytes, Field(description="`response.clientDataJSON`")]
    authenticator_data: Annotated[Bytes, Field(description="`response.authenticatorData`")]
    signature: Annotated[Bytes, Field(description="`response.signature`")]


class CredentialOptions(Told):
    """What `navigator.credentials.create` takes. The challenge can be used once, until `expires_at`."""

    challenge: ToldBytes
    rp_id: str
    user_id: ToldBytes
    user_name: str
    algorithms: Annotated[list[int], Field(description="COSE numbers, the best first: `pubKeyCredParams`.")]
    exclude_credential_ids: list[ToldBytes]
    user_verification: Literal["required"] = "required"
    expires_at: Time


class CreateCredential(Asked):
    """What `navigator.credentials.create` answers, and a one-time code that proves whose it is."""

    client_data: Annotated[Bytes, Field(description="`response.clientDataJSON`")]
    attestation_object: Annotated[Bytes, Field(description="`response.attestationObject`")]
    code: Annotated[OneTimeCode, Field(description="A one-time code of yours.")]


class Credential(Told):
    """A security key that is enrolled."""

    id: ToldBytes


class ApprovalChallenge(Told):
    """What `navigator.credentials.get` takes to approve: a nonce and the payload hash, so that it is that one thing."""

    approval_id: str
    payload_hash: str
    challenge: ToldBytes
    rp_id: str
    credential_ids: list[ToldBytes]
    user_verification: Literal["required"] = "required"
    expires_at: Time
