"""The wire, read strictly: what is not Stripe's is refused, in Stripe's words, with nothing done."""

import base64
import random
from typing import Any

import httpx2
import pytest

from bursar.simulator import form
from bursar.simulator.errors import StripeError
from tests.simulated import KEY, Simulated

FORM = "amount=2000&currency=usd"


def error(answer: httpx2.Response) -> Any:
    return answer.json()["error"]


def test_a_key_is_asked_for(simulator: Simulated) -> None:
    for header in ("", "Bearer", "Digest x", "Basic !!!", f"Basic {base64.b64encode(b':').decode()}"):
        answer = simulator.wire("GET", "/v1/balance", Authorization=header)
        assert answer.status_code == 401
        assert error(answer)["type"] == "invalid_request_error"
    for key in ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "pk_test_4eC39HqLyjWDarjtT1zdp7dc", "whatever"):
        answer = simulator.wire("GET", "/v1/balance", Authorization=f"Bearer {key}")
        assert answer.status_code == 401
        assert key not in answer.text
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    assert simulator.wire("GET", "/v1/balance", Authorization=f"Basic {basic}").status_code == 200


@pytest.mark.parametrize("version", ["2025-01-01.basil", "2026-10-28", "latest"])
def test_another_major_version_is_refused(simulator: Simulated, version: str) -> None:
    answer = simulator.wire("GET", "/v1/balance", Stripe_Version=version)
    assert answer.status_code == 400
    assert "version" in error(answer)["message"]


def test_this_version_and_later_ones_of_its_kind_are_spoken(simulator: Simulated) -> None:
    for version in ("2026-10-28.endive", "2026-12-16.endive"):
        answer = simulator.wire("GET", "/v1/balance", Stripe_Version=version)
        assert (answer.status_code, answer.headers["stripe-version"]) == (200, version)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v2/core/accounts", 404),
        ("PUT", "/v1/customers", 404),
        ("DELETE", "/v1/payment_intents", 404),
        ("GET", "/v1/payment_intents/pi_unknown", 404),
        ("POST", "/v1/payment_intents/pi_unknown/capture", 404),
        ("GET", "/v1/payment_intents/pi%27--", 404),
        ("GET", "/v1/refunds?payment_intent[]=x", 400),
        ("GET", "/v1/payment_intents?limit=0", 400),
        ("GET", "/v1/payment_intents?limit=101", 400),
        ("GET", "/v1/payment_intents?starting_after=pi_unknown", 400),
        ("GET", "/v1/payment_intents?expand[]=data.amount", 400),
        ("GET", "/v1/payment_intents?colour=red", 400),
        ("GET", "/v1/events?created[about]=7", 400),
        ("GET", "/v1/payment_intents/search", 400),
    ],
)
def test_what_cannot_be_asked(simulator: Simulated, method: str, path: str, status: int) -> None:
    answer = simulator.wire(method, path)
    assert answer.status_code == status
    assert error(answer)["message"]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("currency=usd", "parameter_missing", "amount"),
        ("amount=2000", "parameter_missing", "currency"),
        ("amount=20.00&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=-1&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=49&currency=usd", "amount_too_small", "amount"),
        ("amount=100000000&currency=usd", "amount_too_large", "amount"),
        ("amount=2000&currency=zzz", None, "currency"),
        (f"{FORM}&amount[x]=1", None, "amount"),
        (f"{FORM}&confirm=yes", None, "confirm"),
        (f"{FORM}&customer=cus_unknown", "resource_missing", "customer"),
        (f"{FORM}&payment_method=pm_unknown", "resource_missing", "payment_method"),
        (f"{FORM}&payment_method=pm_card_unknown", "resource_missing", "payment_method"),
        (f"{FORM}&metadata=x", None, "metadata"),
        (f"{FORM}&metadata[{'k' * 41}]=x", None, "metadata"),
        (f"{FORM}&metadata[k]={'v' * 501}", None, "metadata"),
        (f"{FORM}&return_url=https://x.example", None, "return_url"),
        (f"{FORM}&description={'d' * 5001}", None, "description"),
        (f"{FORM}&customer=", "parameter_invalid_empty", "customer"),
        (f"{FORM}&automatic_payment_methods[colour]=red", "parameter_unknown", "automatic_payment_methods[colour]"),
        (f"{FORM}&confirm=true&return_url=https://x.example", "payment_intent_unexpected_state", None),
        (
            f"{FORM}&allowed_payment_method_types[]=card&automatic_payment_methods[enabled]=true",
            None,
            "allowed_payment_method_types",
        ),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    simulator: Simulated, body: str, code: str | None, param: str | None
) -> None:
    answer = simulator.wire("POST", "/v1/payment_intents", body)
    assert answer.status_code == 400
    assert (error(answer).get("code"), error(answer).get("param")) == (code, param)
    assert simulator.books()["payments"] == []


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_a_body_is_a_form(simulator: Simulated, content_type: str) -> None:
    answer = simulator.wire("POST", "/v1/payment_intents", '{"amount": 2000}', Content_Type=content_type)
    assert answer.status_code == 400
    assert "x-www-form-urlencoded" in error(answer)["message"]


def test_another_host_is_refused(simulator: Simulated) -> None:
    for path in ("/v1/balance", "/_control/books"):
        assert simulator.wire("GET", path, Host="evil.example").status_code == 403


def test_no_bytes_make_an_error_of_the_simulators_own(simulator: Simulated) -> None:
    random_ = random.Random(7)
    alphabet = b"amount=2000&currency=usd&metadata[a]%5B%00\xff+;[]"
    for _ in range(300):
        body = bytes(random_.choice(alphabet) for _ in range(random_.randrange(60)))
        answer = simulator.wire("POST", "/v1/payment_intents", body)
        assert answer.status_code in (200, 400), (body, answer.text)
        answer.json()


def test_a_form_nests() -> None:
    assert form.parse("a=1&b[c]=2&b[d][e]=3&f[]=x&f[]=y&g[1]=n&g[0]=m&h=") == {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}},
        "f": ["x", "y"],
        "g": ["m", "n"],
        "h": "",
    }


@pytest.mark.parametrize(
    "text", ["=1", "a[=1", "[a]=1", "a]=1", "a=1&a[b]=2", "a[b]=1&a=2", "a[b][c][d][e][f][g]=1", "&&", "%ff=1"]
)
def test_a_form_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(StripeError):
        form.parse(text)
