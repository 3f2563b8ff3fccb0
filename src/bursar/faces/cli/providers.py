"""The providers of payments that the settings name, connected."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from bursar.faces.cli.place import CannotServe, Place, tenant_id_of
from bursar.faces.cli.upstream import upstream_of
from bursar.features.payments.connecting import with_sandbox, with_upstream
from bursar.features.payments.registry import NO_PROVIDERS, Connection, Providers
from bursar.kernel.settings import Settings

# Keys of Stripe that move no real money; the simulator takes no others.
_TEST_KEYS = ("sk_test_", "rk_test_")


def refuse_real_keys(settings: Settings, *, is_sandbox: bool) -> None:
    """The sandbox is open without a key, so no real money may hang on it."""
    key = settings.stripe_secret_key
    if is_sandbox and key and not key.startswith(_TEST_KEYS):
        raise CannotServe("The sandbox takes a test key of Stripe (sk_test_… or rk_test_…) only.")


@asynccontextmanager
async def connected(place: Place, settings: Settings) -> AsyncGenerator[Providers]:
    """The sandbox's provider in the sandbox or when asked for, Stripe when there is a key to it, and the upstream."""
    refuse_real_keys(settings, is_sandbox=place.is_sandbox)
    providers = NO_PROVIDERS
    if place.is_sandbox or settings.sandbox_provider:
        providers = with_sandbox(place.database, settings.sandbox_webhook_secrets)
    if settings.stripe_secret_key:
        name, connection = _stripe(settings.stripe_secret_key, place, settings)
        providers = replace(providers, connections={**providers.connections, name: connection})
    upstream = upstream_of(settings)
    whose = tenant_id_of(settings.upstream_tenant) if settings.upstream_tenant else place.tenant_id
    providers = with_upstream(providers, upstream, whose)
    try:
        yield providers
    finally:
        await providers.close()
        if upstream:
            await upstream.close()


def _stripe(key: str, place: Place, settings: Settings) -> tuple[str, Connection]:
    try:
        from bursar.features.payments.providers import stripe
    except ModuleNotFoundError as error:
        raise CannotServe("Payments by Stripe need the extra: pip install 'bursar[stripe]'.") from error
    tenant_id = tenant_id_of(settings.stripe_tenant) if settings.stripe_tenant else place.tenant_id
    return stripe.NAME, stripe.connection(
        key, settings.stripe_webhook_secrets, tenant_id, api=settings.stripe_api, return_url=settings.stripe_return_url
    )
