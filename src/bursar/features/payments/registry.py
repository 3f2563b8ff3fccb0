"""Which providers this service is connected to: the one place where a name becomes a provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from bursar.features.payments.model import UnknownProvider
from bursar.features.payments.ports import Provider
from bursar.features.payments.upstream import Upstream

Clock: TypeAlias = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider as it is connected here.

    `of` makes it for a tenant. `secrets` sign what it tells us, the newest first, so that they can be rotated; without
    any nothing is believed. `tenant_id`: whose events these are where the event does not name an account.
    """

    of: Callable[[UUID], Provider]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Providers:
    """All that are connected, by name; `default` is taken where none is named. The upstream takes no payments."""

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
        """A provider for a tenant; refuses a name that is not connected."""
        connection = self.connections.get(name)
        if connection is None:
            raise UnknownProvider("provider")
        return connection.of(tenant_id)

    def named(self, name: str | None) -> str:
        """The name that is meant; refuses one that is not connected."""
        meant = name or self.default
        if meant not in self.connections:
            raise UnknownProvider("provider")
        return meant


NO_PROVIDERS = Providers({})
