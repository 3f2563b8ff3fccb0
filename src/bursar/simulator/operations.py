"""The calls that the provider takes: Stripe's paths, each with what it does."""

import re
from collections.abc import Callable
from typing import NamedTuple

from bursar.simulator import (
    balances,
    capturing,
    confirming,
    customers,
    disputes,
    endpoints,
    fields,
    intents,
    payouts,
    refunds,
)
from bursar.simulator.errors import Body
from bursar.simulator.reading import FILTERS, lister, retriever, searcher
from bursar.simulator.world import World

# A call gets what the path names, or the path itself when it names nothing.
Does = Callable[[World, Body, str], Body]


class Operation(NamedTuple):
    """A call: its name, such as `payment_intents.capture`, and what it does."""

    name: str
    method: str
    path: re.Pattern[str]
    does: Does


def find(method: str, path: str) -> tuple[Operation, str] | None:
    """The call of this path, and what it is to be done to."""
    for operation in OPERATIONS:
        match = operation.path.fullmatch(path) if operation.method == method else None
        if match:
            return operation, match[1] if match.re.groups else path
    return None


def _op(name: str, method: str, path: str, does: Does) -> Operation:
    return Operation(name, method, re.compile(path.replace("{id}", "([A-Za-z0-9_]{1,255})")), does)


def _new(does: Callable[[World, Body], Body]) -> Does:
    return lambda world, given, _path: does(world, given)


def _balance(world: World, given: Body) -> Body:
    fields.read(given, {})
    return balances.balance(world)


def _reads() -> list[Operation]:
    made: list[Operation] = []
    for kind in FILTERS:
        made += [
            _op(f"{kind}s.list", "GET", f"/v1/{kind}s", lister(kind)),
            _op(f"{kind}s.retrieve", "GET", f"/v1/{kind}s/{{id}}", retriever(kind, _IN_PATH.get(kind, "id"))),
        ]
    return made


_IN_PATH = {"dispute": "dispute", "payment_intent": "intent", "payout": "payout"}
OPERATIONS: list[Operation] = [
    _op("balance.retrieve", "GET", "/v1/balance", _new(_balance)),
    # The search stands before the object of that name.
    _op("payment_intents.search", "GET", "/v1/payment_intents/search", searcher("payment_intent")),
    _op("charges.search", "GET", "/v1/charges/search", searcher("charge")),
    *_reads(),
    _op("customers.create", "POST", "/v1/customers", _new(customers.create)),
    _op("customers.update", "POST", "/v1/customers/{id}", customers.update),
    _op("customers.delete", "DELETE", "/v1/customers/{id}", customers.delete),
    _op("payment_methods.create", "POST", "/v1/payment_methods", _new(customers.create_method)),
    _op("payment_methods.attach", "POST", "/v1/payment_methods/{id}/attach", customers.attach),
    _op("payment_methods.detach", "POST", "/v1/payment_methods/{id}/detach", customers.detach),
    _op("payment_intents.create", "POST", "/v1/payment_intents", _new(intents.create)),
    _op("payment_intents.update", "POST", "/v1/payment_intents/{id}", intents.update),
    _op("payment_intents.confirm", "POST", "/v1/payment_intents/{id}/confirm", confirming.confirm),
    _op("payment_intents.capture", "POST", "/v1/payment_intents/{id}/capture", capturing.capture),
    _op("payment_intents.cancel", "POST", "/v1/payment_intents/{id}/cancel", capturing.cancel),
    _op("refunds.create", "POST", "/v1/refunds", _new(refunds.create)),
    _op("refunds.update", "POST", "/v1/refunds/{id}", refunds.update),
    _op("disputes.update", "POST", "/v1/disputes/{id}", disputes.update),
    _op("disputes.close", "POST", "/v1/disputes/{id}/close", disputes.close),
    _op("payouts.create", "POST", "/v1/payouts", _new(payouts.create)),
    _op("payouts.update", "POST", "/v1/payouts/{id}", payouts.update),
    _op("payouts.cancel", "POST", "/v1/payouts/{id}/cancel", payouts.cancel),
    _op("webhook_endpoints.create", "POST", "/v1/webhook_endpoints", _new(endpoints.create)),
    _op("webhook_endpoints.update", "POST", "/v1/webhook_endpoints/{id}", endpoints.update),
    _op("webhook_endpoints.delete", "DELETE", "/v1/webhook_endpoints/{id}", endpoints.delete),
]
