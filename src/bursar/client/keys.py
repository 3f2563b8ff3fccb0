"""API keys of agents."""

from collections.abc import Sequence

from bursar.client.arguments import given, segment
from bursar.client.room import Room
from bursar.wire.agents import Key, NewKey
from bursar.wire.fields import Page


class Keys(Room):
    """No call here takes an Idempotency-Key: a secret is shown once, and revoking twice changes nothing."""

    async def create_key(self, *, agent: str, scopes: Sequence[str] | None = None) -> NewKey:
        """Make a key for an agent. If its answer is lost, revoke what `list_keys` shows and make another."""
        body = given(agent=agent, scopes=None if scopes is None else list(scopes))
        return await self._change(NewKey, "create_key", "/v1/keys", body, None)

    async def list_keys(self, *, agent: str) -> Page[Key]:
        """All keys of an agent, revoked ones too, without secrets."""
        return await self._read(Page[Key], "list_keys", "/v1/keys", given(agent=agent))

    async def revoke_key(self, key_id: str) -> Key:
        """End a key: nothing that commits after this was done with it."""
        return await self._change(Key, "revoke_key", f"/v1/keys/{segment(key_id)}/revoke", None, None)
