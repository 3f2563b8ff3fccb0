"""No webhook reaches an address inside, however its URL is written and whatever its name leads to."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import httpx2
import pytest

from bursar.features.notifications import destination
from bursar.features.notifications.destination import is_public, read_url
from bursar.features.notifications.resolving import Resolve, refusal_of, system
from bursar.features.notifications.sending import Letter, Post, network
from bursar.features.notifications.signing import new_secret
from bursar.kernel.refusal import InvalidArgument
from tests.features.notifications.receivers import Detour, certified, here, listening

# {port} is where the canary listens.
WRITTEN = [
    "http://example.com/", "http://127.0.0.1:{port}/", "HTTPS://127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "127.0.0.1:{port}", "",
    "https://", "https:///x", "https:127.0.0.1:{port}", "https:/127.0.0.1:{port}/", "https://127.0.0.1:{port}/",
    "https://localhost:{port}/", "https://LOCALHOST:{port}/", "https://localhost.:{port}/", "https://127.1:{port}/",
    "https://127.0.1:{port}/", "https://2130706433:{port}/", "https://0x7f000001:{port}/", "https://0x7f.0.0.1:{port}/",
    "https://0177.0.0.1:{port}/", "https://017700000001:{port}/", "https://127.0.0.1.:{port}/", "https://0:{port}/",
    "https://0.0.0.0:{port}/", "https://127.255.255.254:{port}/", "https://[::1]:{port}/", "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/", "https://[::ffff:7f00:1]:{port}/", "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/", "https://[64:ff9b::7f00:1]:{port}/", "https://[64:ff9b:1::1]:{port}/",
    "https://[2002:7f00:1::1]:{port}/", "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    "https://[::ffff:0:127.0.0.1]:{port}/", "https://[fe80::1]:{port}/", "https://[fe80::1%25lo]:{port}/",
    "https://[fe80::1%lo]:{port}/", "https://[fd00:ec2::254]:{port}/", "https://[fc00::1]:{port}/",
    "https://[ff02::1]:{port}/", "https://[2001:db8::1]:{port}/", "https://[fec0::1]:{port}/",
    "https://169.254.169.254/latest/meta-data/", "https://169.254.170.2/", "https://168.63.129.16/",
    "https://100.100.100.200/", "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/",
    "https://192.168.0.1/", "https://100.64.0.1/", "https://192.0.0.192/", "https://198.18.0.1/", "https://224.0.0.1/",
    "https://255.255.255.255/", "https://240.0.0.1/", "https://192.0.2.1/", "https://203.0.113.9/",
    "https://user@example.com/", "https://user:word@example.com/", "https://example.com@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}@example.com/", "https://127.0.0.1:{port}#@example.com/", "https://example.com/#part",
    "https://example.com\\@127.0.0.1:{port}/", "https://127.0.0.1:{port}\\.example.com/",
    "https://127.0.0.1%00.example.com/",
    "https://127%2e0%2e0%2e1:{port}/", "https://①②⑦.⓪.⓪.①:{port}/", "https://127。0。0。1:{port}/",
    "https://ⓛocalhost:{port}/",
    "https://localho\u017ft:{port}/", "https://exa mple.com/", "https://example.com/a b",
    "https://example.com/\r\nX-A: b",
    "https://example.com:22/", "https://example.com:80/", "https://example.com:0443/", "https://example.com:99999/",
    "https://example.com:+443/", "https://-example.com/", "https://example..com/", "https://[127.0.0.1]:{port}/",
    "https://[v1.fe80::a+en1]/", "https://[::1:{port}/", "\thttps://127.0.0.1:{port}/", "https://127.0.0.1\t:{port}/",
]  # fmt: skip
# Good names that lead inside, one address of several being enough.
LEADS_TO = [
    ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1", "93.184.216.34"], ["10.1.2.3"], ["169.254.169.254"],
    ["::ffff:127.0.0.1"], ["64:ff9b::a00:1"], ["2002:a00:1::"], ["0.0.0.0"], ["fd00::1"], ["100.64.1.1"], ["224.1.1.1"],
    ["168.63.129.16"], ["::"], [],
]  # fmt: skip
PUBLIC = [
    "93.184.216.34", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8",
    "2002:808:808::1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
    "198.17.255.255", "223.255.255.255",
]  # fmt: skip


def letter(url: str) -> Letter:
    return Letter(url, "evt_1", b"{}", [new_secret()])


async def test_no_hostile_url_is_called_and_the_canary_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({*WRITTEN}) + len(LEADS_TO) >= 80
    post = Post(network())
    async with listening() as canary:
        # Otherwise the port alone would keep us from most of them.
        monkeypatch.setattr(destination, "PORTS", (443, 8443, canary.port))
        for text in WRITTEN:
            url = text.format(port=canary.port)
            # Names that are good to look at would be asked for on the network.
            resolve = here if "example.com" in url else system
            assert await refusal_of(url, resolve, plain_to_loopback=False), url
            result = await Post(post.transport, resolve).send(letter(url))
            assert (result.status, result.error) in ((None, "address_refused"), (None, "name_not_found")), url
        for addresses in LEADS_TO:
            url = f"https://hooks.example.com:{canary.port}/"
            resolve = always(addresses)
            assert await refusal_of(url, resolve, plain_to_loopback=False), addresses
            result = await Post(post.transport, resolve).send(letter(url))
            assert result.error == ("address_refused" if addresses else "name_not_found"), addresses
        assert (canary.connections, canary.received) == (0, [])
        # It does hear what is sent to it.
        sandbox = Post(post.transport, plain_to_loopback=True)
        assert (await sandbox.send(letter(f"http://127.0.0.1:{canary.port}/x"))).status == 200
        assert canary.connections == 1
    await post.transport.aclose()


def always(addresses: Sequence[str]) -> Resolve:
    async def resolve(name: str, port: int) -> Sequence[str]:
        assert name
        assert port
        return addresses

    return resolve


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_taken(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "authority"),
    [
        ("https://example.com", "example.com", 443, "/", "example.com"),
        ("https://Example.COM:443/a?b=c", "example.com", 443, "/a?b=c", "example.com"),
        ("https://example.com:8443?x", "example.com", 8443, "/?x", "example.com:8443"),
        ("https://93.184.216.34/%7E", "93.184.216.34", 443, "/%7E", "93.184.216.34"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]", 443, "/", "[2606:4700::1111]"),
        ("https://a-b.x1.example.com/", "a-b.x1.example.com", 443, "/", "a-b.x1.example.com"),
    ],
)
def test_a_good_url_is_read_in_its_parts(url: str, host: str, port: int, target: str, authority: str) -> None:
    found = read_url(url)
    assert (found.plain, found.host, found.port, found.target, found.authority) == (
        False,
        host,
        port,
        target,
        authority,
    )


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "1.2.3.4.5", "a.0x"])
def test_a_number_in_an_odd_form_is_no_host(host: str) -> None:
    """Whatever the system that looks it up would make of it."""
    with pytest.raises(InvalidArgument, match="usual form"):
        read_url(f"https://{host}/")


async def test_plain_http_is_for_the_sandbox_and_for_this_machine_only() -> None:
    with pytest.raises(InvalidArgument, match="must be https"):
        read_url("http://127.0.0.1:9000/")
    assert await refusal_of("http://localhost:9000/", here, plain_to_loopback=True) is None
    for addresses in (["93.184.216.34"], ["127.0.0.1", "93.184.216.34"], ["10.0.0.1"], ["::ffff:127.0.0.1"]):
        assert await refusal_of("http://localhost:9000/", always(addresses), plain_to_loopback=True)
    # The sandbox's leave is for http alone.
    assert await refusal_of("https://localhost/", here, plain_to_loopback=True)


async def test_a_name_that_is_rebound_is_asked_for_once_and_called_at_the_address_that_was_judged(
    tmp_path: Path,
) -> None:
    """First it leads outside, from then on inside: between the look and the call there is no second question."""
    asked: list[str] = []

    async def resolve(name: str, port: int) -> Sequence[str]:
        assert port == 443
        asked.append(name)
        return ["93.184.216.34"] if len(asked) <= 2 else ["127.0.0.1"]

    url = "https://rebound.example.com/hook"
    assert await refusal_of(url, resolve, plain_to_loopback=False) is None
    server, client = certified(tmp_path, "rebound.example.com")
    async with listening(tls=server) as canary:
        detour = Detour(httpx2.AsyncHTTPTransport(verify=client, trust_env=False), canary.port)
        post = Post(detour, resolve)
        assert (await post.send(letter(url))).status == 200
        assert detour.went_to == [("93.184.216.34", None)]
        assert asked == ["rebound.example.com"] * 2
        assert (await post.send(letter(url))).error == "address_refused"
        assert len(detour.went_to) == 1
        await detour.aclose()
    assert len(canary.received) == 1
