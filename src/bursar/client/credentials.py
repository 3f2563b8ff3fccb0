"""Credentials: an operator's security keys."""

from bursar.client.arguments import given
from bursar.client.room import Room
from bursar.wire.credentials import Credential, CredentialOptions


class Credentials(Room):
    """Operators enrol security keys for themselves; bytes are base64url without padding."""

    async def start_credential(self, *, idempotency_key: str | None = None) -> CredentialOptions:
        """Get what a new security key of yours is to sign, once and within five minutes."""
        return await self._change(
            CredentialOptions, "start_credential", "/v1/credentials/options", None, idempotency_key
        )

    async def create_credential(
        self, *, client_data: str, attestation_object: str, code: str, idempotency_key: str | None = None
    ) -> Credential:
        """Enrol a security key of yours; the one-time code says that it is you who does."""
        body = given(client_data=client_data, attestation_object=attestation_object, code=code)
        return await self._change(Credential, "create_credential", "/v1/credentials", body, idempotency_key)
