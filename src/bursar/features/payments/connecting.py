"""The sandbox's provider connected, for a service that has it, and the upstream."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from bursar.features.payments.providers.sandbox import NAME, SandboxProvider
from bursar.features.payments.registry import Clock, Connection, Providers, system_clock
from bursar.features.payments.upstream import Upstream
from bursar.kernel.db import Database


def with_sandbox(database: Database, webhook_secrets: Sequence[str] = (), clock: Clock = system_clock) -> Providers:
    """The sandbox's provider alone; without secrets nobody but its own worker can sign what it tells us."""
    signed_by = tuple(webhook_secrets) or (f"whsec_{secrets.token_hex(24)}",)
    connection = Connection(lambda tenant_id: SandboxProvider(database, tenant_id, clock), signed_by)
    return Providers({NAME: connection}, NAME, clock)


def with_upstream(providers: Providers, upstream: Upstream | None, whose: UUID) -> Providers:
    """The same with an upstream for one tenant: the accounts there are one customer's."""

    def of(tenant_id: UUID) -> Upstream | None:
        return upstream if tenant_id == whose else None

    return replace(providers, upstream_of=of)
