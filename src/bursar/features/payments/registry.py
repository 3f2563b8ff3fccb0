"""Which providers this service is connected to: the one place where a name becomes a provider."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from bursar.features.payments.breaker import Breaker, Guarded
from bursar.features.payments.model import ProviderUnavailable, UnknownProvider
from bursar.features.payments.ports import Provider
from bursar.features.payments.upstream import Upstream

Clock: TypeAlias = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


async def _nothing_to_close() -> None:
    """A provider without connections of its own."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider as it is connected here.

    `of` makes it for a tenant. `secrets` sign what it tells us, the newest first, so that they can be rotated; without
    any nothing is believed. `tenant_id`: the one tenant whose account it is, and whose all its events are; None where
    every tenant has an account there, which the events name. `close` ends it.
    """

    of: Callable[[UUID], Provider]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    tenant_id: UUID | None = None
    close: Callable[[], Awaitable[None]] = _nothing_to_close
    # None: nothing lies between us and it that could fail.
    breaker: Breaker | None = None


@dataclass(frozen=True, slots=True)
class Providers:
    """All that are connected, by name. Where none is named, a tenant's own account is taken, or else `default`.

    The upstream takes no payments.
    """

    connections: Mapping[str, Connection]
    default: str = "sandbox"
    clock: Clock = system_clock
    # Where a tenant's accounts may live upstream; None: nowhere.
    upstream_of: Callable[[UUID], Upstream | None] = lambda _: None

    def carrier_of(self, tenant_id: UUID, name: str) -> Provider | Upstream:
        """Whoever carries out a call for a tenant; refuses a name that is not connected."""
        upstream = self.upstream_of(tenant_id)
        return upstream if upstream and upstream.name == name else self.of(tenant_id, name)

    def of(self, tenant_id: UUID, name: str) -> Provider:
        """A provider for a tenant; refuses a name that is not connected, or only for another tenant."""
        connection = self.connections.get(name)
        if connection is None or connection.tenant_id not in (None, tenant_id):
            raise UnknownProvider("provider")
        provider = connection.of(tenant_id)
        return Guarded(provider, connection.breaker, self.clock) if connection.breaker else provider

    def refuse_if_down(self, name: str) -> None:
        """Begin nothing with a provider that does not answer now."""
        connection = self.connections.get(name)
        if connection and connection.breaker and not connection.breaker.lets_through(self.clock()):
            raise ProviderUnavailable(name)

    def named(self, tenant_id: UUID, name: str | None) -> str:
        """The name that a tenant means; refuses what it has not."""
        own = next((own for own, one in self.connections.items() if one.tenant_id == tenant_id), self.default)
        meant = name or own
        self.of(tenant_id, meant)
        return meant

    async def close(self) -> None:
        """Close what the providers hold open."""
        for connection in self.connections.values():
            await connection.close()


NO_PROVIDERS = Providers({})
