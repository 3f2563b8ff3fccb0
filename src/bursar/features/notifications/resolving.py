"""What addresses a name has, asked of the system, and whether a URL may be called: asked once, judged as a whole."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from bursar.features.notifications.destination import Destination, may_reach, read_url
from bursar.kernel.refusal import InvalidArgument

# A name and a port in, addresses out; none when there is no such name.
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

SECONDS_TO_RESOLVE = 5.0
# Threads of its own: a name whose servers are slow must not keep the service's other threads.
_THREADS = ThreadPoolExecutor(max_workers=64, thread_name_prefix="resolve")


async def system(name: str, port: int) -> Sequence[str]:
    """The addresses that the system knows of a name, in the order in which it would try them."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(_THREADS, _look_up, name, port)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(found))


def _look_up(name: str, port: int) -> list[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


class AddressRefused(Exception):
    """The name leads to an address that is not public."""


class NameNotFound(Exception):
    """The name leads nowhere."""


async def allowed_addresses(destination: Destination, resolve: Resolve) -> Sequence[str]:
    """The addresses to connect to, every one of which is allowed; the name is asked for once."""
    try:
        async with asyncio.timeout(SECONDS_TO_RESOLVE):
            found = await resolve(destination.name, destination.port)
    except TimeoutError as error:
        raise NameNotFound from error
    if not found:
        raise NameNotFound
    if not may_reach(destination, found):
        raise AddressRefused
    return found


async def refusal_of(url: str, resolve: Resolve, *, plain_to_loopback: bool) -> InvalidArgument | None:
    """Why a URL may not be an endpoint's; asked again at every delivery. Not to be called in a transaction."""
    try:
        await allowed_addresses(read_url(url, plain_to_loopback=plain_to_loopback), resolve)
    except InvalidArgument as refusal:
        return refusal
    except NameNotFound:
        return InvalidArgument("url", "names a host that cannot be found")
    except AddressRefused:
        return InvalidArgument("url", "names a host whose addresses are not all public")
    return None
