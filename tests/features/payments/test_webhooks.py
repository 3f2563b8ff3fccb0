"""Deliveries: only what is signed over its very bytes is believed, once, and nothing else leaves a trace."""

import random
from typing import Any

import httpx2
import psycopg
import pytest

from bursar.features.payments import signing
from bursar.features.payments.providers import sandbox_telling as telling
from tests.api.serving import WEBHOOK_SECRET
from tests.features.payments.counter import Counter, key


async def _event(counter: Counter) -> bytes:
    """A good event about a payment that is on its way."""
    await counter.pay("sandbox_late")
    async with counter.workers.transaction(counter.tenant.id) as tx:
        attempt = await tx.value(str, "SELECT key FROM sandbox_payment WHERE tenant_id = $1 LIMIT 1", counter.tenant.id)
        report = await telling.report_of(tx, attempt)
    assert report
    at = counter.clock.now
    return telling.event_body(f"evt_{key()}", "payment_intent.processing", counter.tenant.id.hex, report, at).encode()


async def _send(counter: Counter, body: bytes, header: str | None, provider: str = "sandbox") -> httpx2.Response:
    headers = {"content-type": "application/json"} | ({"stripe-signature": header} if header is not None else {})
    return await counter.client.post(f"/v1/webhooks/{provider}", content=body, headers=headers)


def _rows(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM bursar.payment_inbox").fetchone()
    assert row
    return row[0]


def _mutated(random: random.Random, body: bytes, header: str) -> tuple[bytes, str]:
    """One byte of the body or the header changed, dropped, doubled or added."""
    target = bytearray(random.choice((body, header.encode())))
    is_body = bytes(target) == body
    at = random.randrange(len(target))
    match random.randrange(4):
        case 0:
            target[at] ^= 1 << random.randrange(7)
        case 1:
            del target[at]
        case 2:
            target.insert(at, target[at])
        case _:
            target.insert(at, random.randrange(33, 127))
    changed = bytes(target)
    return (changed, header) if is_body else (body, changed.decode("latin-1"))


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_mutated_deliveries_are_all_refused_and_leave_no_row(
    counter: Counter, database_url: str, count: int
) -> None:
    dice = random.Random(20_261_121)
    body = await _event(counter)
    header = signing.signature_of(body, WEBHOOK_SECRET, counter.clock.now)
    tried = 0
    while tried < count:
        changed, signed = _mutated(dice, body, header)
        if (changed, signed) == (body, header) or not signed.isprintable() or signed != signed.strip():
            continue
        # Space between the parts means nothing, and neither does a part of another name.
        if changed == body and _same(signed, header):
            continue
        answer = await _send(counter, changed, signed)
        assert answer.status_code == 401, (changed, signed, answer.text)
        tried += 1
    assert _rows(database_url) == 0
    good = await _send(counter, body, header)
    assert (good.status_code, good.json()) == (200, {"received": True})
    assert _rows(database_url) == 1


def _same(one: str, other: str) -> bool:
    def parts(header: str) -> Any:
        return [part.strip() for part in header.split(",") if part.strip().partition("=")[0] in ("t", "v1")]

    return parts(one) == parts(other)


async def test_an_unsigned_a_late_and_a_future_delivery_are_refused(counter: Counter, database_url: str) -> None:
    body = await _event(counter)
    good = signing.signature_of(body, WEBHOOK_SECRET, counter.clock.now)
    for header in (None, "", "t=1", "v1=abc", good.replace("v1", "v0"), "t=," + good, good + "," + good.split(",")[0]):
        answer = await _send(counter, body, header)
        assert (answer.status_code, answer.json()["code"]) == (401, "webhook_unsigned"), header
    for seconds in (-301, 301):
        counter.clock.pass_by(seconds=seconds)
        assert (await _send(counter, body, good)).status_code == 401
        counter.clock.pass_by(seconds=-seconds)
    other = signing.signature_of(body, "whsec_of_somebody_else", counter.clock.now)
    assert (await _send(counter, body, other)).status_code == 401
    assert (await _send(counter, b"not json, not signed", None)).status_code == 401
    assert (await _send(counter, body, good, "nobody")).status_code == 404
    assert _rows(database_url) == 0


async def test_a_delivery_within_five_minutes_and_one_of_several_signatures_is_taken(counter: Counter) -> None:
    body = await _event(counter)
    good = signing.signature_of(body, WEBHOOK_SECRET, counter.clock.now)
    counter.clock.pass_by(seconds=299)
    assert (await _send(counter, body, good + ",v1=00,v0=1")).status_code == 200


async def test_a_delivery_that_comes_twice_is_taken_in_once(counter: Counter, database_url: str) -> None:
    body = await _event(counter)
    header = signing.signature_of(body, WEBHOOK_SECRET, counter.clock.now)
    for _ in range(3):
        assert (await _send(counter, body, header)).status_code == 200
    assert _rows(database_url) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'"text"', b"\xff\xfe", b'{"id": 7}', b'{"account":"' + b"0" * 32 + b'"}']
)
async def test_what_is_signed_and_cannot_be_read_is_refused_and_leaves_no_row(
    counter: Counter, database_url: str, body: bytes
) -> None:
    header = signing.signature_of(body, WEBHOOK_SECRET, counter.clock.now)
    answer = await _send(counter, body, header)
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook_malformed")
    assert _rows(database_url) == 0


async def test_what_is_about_nothing_known_is_parked_and_people_look(counter: Counter) -> None:
    body = (await _event(counter)).decode()
    async with counter.workers.transaction(counter.tenant.id) as tx:
        known = await tx.value(str, "SELECT key FROM sandbox_payment WHERE tenant_id = $1", counter.tenant.id)
    await counter.deliver(body.replace(known, key()))
    await counter.settle(40)
    headers = {"Authorization": f"Bearer {counter.tenant.operator}"}
    cases = (await counter.client.get("/v1/cases", headers=headers)).json()
    assert [case["kind"] for case in cases["items"]] == ["event_unmatched"]
