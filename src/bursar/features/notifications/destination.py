"""Where a webhook may go: an https URL whose name leads to public addresses only. Nothing here asks the network."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from bursar.kernel.refusal import InvalidArgument

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2048
PORTS = (443, 8443)

# Read strictly by one pattern, so that no other reader of the URL can see another host in it: no userinfo, no fragment,
# no backslash, no escape in the host, ASCII only. A label of a name starts and ends with a letter or digit.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]{{2,45}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    r"(?P<target>(?:/[A-Za-z0-9._~!$&'()*+,;=:@/%-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?)"
)

# The special-purpose registries of IANA (RFC 6890 and its updates), and what a cloud answers on a public number. Listed
# here, since what Python takes for global differs from version to version.
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # Azure's machine agent and resolver.
        "168.63.129.16/32",
        "::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2620:4f:8000::/48",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LAST_32 = 0xFFFF_FFFF


class Destination(NamedTuple):
    """A URL in its parts; `target` is the path and the query. `plain` is http, to this machine only."""

    plain: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        usual = 80 if self.plain else 443
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """The host without the brackets of an IPv6 address."""
        return self.host.strip("[]")


def read_url(url: str, *, plain_to_loopback: bool = False) -> Destination:
    """A URL in its parts, or InvalidArgument; `plain_to_loopback` allows http, as the sandbox does."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if found is None:
        raise InvalidArgument("url", "must be https://host/path in ASCII, without user, password or fragment")
    plain = found["scheme"] == "http"
    if plain and not plain_to_loopback:
        raise InvalidArgument("url", "must be https")
    port = int(found["port"] or (80 if plain else 443))
    if port > 65_535 or (not plain and port not in PORTS):
        raise InvalidArgument("url", f"must name port {PORTS[0]} or {PORTS[1]}, or none")
    host = found["host"].lower()
    _refuse_odd_numbers(host)
    return Destination(plain, host, port, found["target"] if found["target"].startswith("/") else f"/{found['target']}")


def _refuse_odd_numbers(host: str) -> None:
    """A host that ends in a number is an IPv4 address to some readers, in many forms; only the usual one is read."""
    try:
        if host.startswith("["):
            ipaddress.IPv6Address(host.strip("[]"))
        elif re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", host.rpartition(".")[2]):
            ipaddress.IPv4Address(host)
    except ValueError:
        raise InvalidArgument("url", "must name a host, or an address in its usual form") from None


def may_reach(destination: Destination, addresses: Sequence[str]) -> bool:
    """Whether all addresses that a name has are public; for plain http, whether all are this machine's own."""
    found = [ipaddress.ip_address(text) for text in addresses]
    judge = is_loopback if destination.plain else is_public
    return bool(found) and all(judge(address) for address in found)


def is_loopback(address: Address) -> bool:
    """127.0.0.0/8 and ::1, as they are written: nothing is unwrapped for what is to be allowed."""
    return address.is_loopback and not (address.version == 6 and address.ipv4_mapped)


def is_public(address: Address) -> bool:
    """Whether an address is somebody's on the open internet, whatever it is wrapped in."""
    inner = list(_unwrapped(address))
    if inner:
        return all(is_public(one) for one in inner)
    refused = any(address.version == network.version and address in network for network in _REFUSED)
    return not refused and address.is_global and not address.is_multicast


def _unwrapped(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to: mapped, translated, NAT64, 6to4, Teredo's server and client."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if any(address in network for network in (_MAPPED, _TRANSLATED, _NAT64)):
        yield ipaddress.IPv4Address(int(address) & _LAST_32)
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
