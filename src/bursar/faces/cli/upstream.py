"""`bursar upstream`: the service in which some accounts' money lives, and which accounts those are."""

import ipaddress
from pathlib import Path
from typing import Any

import httpx2

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.ledger import reading
from bursar.faces.cli.place import CannotServe, opened, tenant_id_of
from bursar.features.payments.providers.upstream import HttpUpstream, Place
from bursar.features.payments.transferring import live_upstream
from bursar.features.payments.upstream import available_at
from bursar.kernel.ids import new_id, read
from bursar.kernel.settings import Settings


def upstream_of(settings: Settings) -> HttpUpstream | None:
    """The upstream that the settings name, if they name one; whoever has it closes it."""
    if settings.upstream_url is None:
        return None
    if settings.upstream_key is None:
        raise CannotServe("BURSAR_UPSTREAM_URL needs BURSAR_UPSTREAM_KEY, our key there.")
    url = httpx2.URL(settings.upstream_url)
    here = is_loopback(url.host)
    if url.scheme == "http" and not here:
        raise CannotServe("BURSAR_UPSTREAM_URL must begin with https://: our key goes there.")
    if settings.database_url is None and (not here or settings.upstream_key.startswith("bk_live_")):
        raise CannotServe("The sandbox is open without a key, so its upstream is on this machine, with a test key.")
    return HttpUpstream(
        Place(
            settings.upstream_url, settings.upstream_key, settings.upstream_connect_seconds, settings.upstream_seconds
        )
    )  # fmt: skip


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def mark(ref: str, number: str, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Say that an account's money lives upstream; the upstream is asked first."""
    settings = Settings()
    upstream = upstream_of(settings)
    try:
        async with opened(data, tenant) as place:
            known = read("acct", ref) or ref
            async with place.database.transaction(place.tenant_id, read_only=True) as tx:
                account = await reading.find_account(tx, known)
            whose = tenant_id_of(settings.upstream_tenant) if settings.upstream_tenant else place.tenant_id
            await available_at(upstream if whose == place.tenant_id else None, account, number)
            async with place.database.transaction(place.tenant_id) as tx:
                actor = await approvals.acting(tx, operator)
                marked, happening = await live_upstream(tx, known, number)
                told = happening._replace(payload={**happening.payload, "by": "command line"})
                events.record(tx, [event_of(new_id(), actor, "", "mark_account_upstream", told)])
    finally:
        if upstream:
            await upstream.close()
    return {"account": marked.number, "currency": marked.currency, "upstream": marked.upstream}
