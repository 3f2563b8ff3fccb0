"""Reading back: pages, searches by one's own reference, and objects in place of their ids."""

from typing import Any

import pytest
import stripe

from tests.simulated import Simulated


def test_a_list_is_walked_in_both_directions(simulator: Simulated) -> None:
    made = [simulator.pay(1000 + number).id for number in range(5)]
    intents = simulator.sdk.v1.payment_intents
    page = intents.list({"limit": 2})
    assert ([one.id for one in page.data], page.has_more) == ([made[4], made[3]], True)
    page = intents.list({"limit": 2, "starting_after": made[3]})
    assert ([one.id for one in page.data], page.has_more) == ([made[2], made[1]], True)
    page = intents.list({"limit": 2, "starting_after": made[1]})
    assert ([one.id for one in page.data], page.has_more) == ([made[0]], False)
    page = intents.list({"limit": 2, "ending_before": made[1]})
    assert ([one.id for one in page.data], page.has_more) == ([made[3], made[2]], True)
    assert [one.id for one in intents.list({"limit": 2}).auto_paging_iter()] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError):
        intents.list({"starting_after": made[0], "ending_before": made[1]})


def test_a_list_is_narrowed(simulator: Simulated) -> None:
    v1 = simulator.sdk.v1
    customer = v1.customers.create({"email": "ada@shop.example"})
    first = simulator.pay(customer=customer.id)
    simulator.advance(100)
    second = simulator.pay()
    assert [one.id for one in v1.payment_intents.list({"customer": customer.id}).data] == [first.id]
    assert [one.id for one in v1.payment_intents.list({"created": {"gt": first.created}}).data] == [second.id]
    assert [one.id for one in v1.payment_intents.list({"created": first.created}).data] == [first.id]
    charges = v1.charges.list({"payment_intent": second.id}).data
    assert [one.id for one in charges] == [second.latest_charge]
    events = v1.events.list({"type": "payment_intent.succeeded"}).data
    assert [one.data.object["id"] for one in events] == [second.id, first.id]
    assert v1.events.retrieve(events[0].id).type == "payment_intent.succeeded"
    assert [one.id for one in v1.customers.list({"email": "ada@shop.example"}).data] == [customer.id]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metadata['order']:'7'", [0]),
        ("metadata['order']:'7' OR metadata['order']:'8'", [1, 0]),
        ("metadata['order']:'7' AND amount>1500", []),
        ("metadata['order']:'8' status:'succeeded'", [1]),
        ("amount>=1001", [2, 1]),
        ("amount<1001 currency:'usd'", [0]),
        ("-metadata['order']:'7'", [2, 1]),
        ("metadata['order']:null", [2]),
        ("metadata['order']~'8'", [1]),
        ('status:"canceled"', []),
    ],
)
def test_a_payment_is_found_by_ones_own_reference(simulator: Simulated, query: str, found: list[int]) -> None:
    references: list[dict[str, str]] = [{"order": "7"}, {"order": "8"}, {}]
    made = [simulator.pay(1000 + number, metadata=one).id for number, one in enumerate(references)]
    result = simulator.sdk.v1.payment_intents.search({"query": query})
    assert [one.id for one in result.data] == [made[number] for number in found]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "order:7",
        "metadata:'7'",
        "amount:'7'",
        "amount~7",
        "status>'a'",
        "status:'a",
        "a" * 200,
        "amount>1 AND amount>2 OR amount>3",
    ],
)
def test_a_query_that_is_not_in_the_language_is_refused(simulator: Simulated, query: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        simulator.sdk.v1.payment_intents.search({"query": query})
    assert raised.value.http_status == 400


def test_a_search_has_pages_and_may_lag_behind(simulator: Simulated) -> None:
    made = [simulator.pay(metadata={"order": "7"}).id for _ in range(3)]
    params: Any = {"query": "metadata['order']:'7'", "limit": 2}
    page = simulator.sdk.v1.payment_intents.search(params)
    assert ([one.id for one in page.data], page.has_more) == ([made[2], made[1]], True)
    assert [one.id for one in page.auto_paging_iter()] == made[::-1]
    simulator.control("POST", "settings", seconds_until_search_finds=60)
    assert simulator.sdk.v1.payment_intents.search(params).data == []
    # A list is never behind.
    assert len(simulator.sdk.v1.payment_intents.list().data) == 3
    simulator.advance(60)
    assert len(simulator.sdk.v1.payment_intents.search(params).data) == 2


def test_objects_stand_in_place_of_their_ids_where_asked_for(simulator: Simulated) -> None:
    intent = simulator.pay(expand=["payment_method"])
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    (listed,) = simulator.sdk.v1.payment_intents.list({"expand": ["data.latest_charge.balance_transaction"]}).data
    assert isinstance(listed.latest_charge, stripe.Charge)
    assert isinstance(listed.latest_charge.balance_transaction, stripe.BalanceTransaction)
    (moved,) = simulator.sdk.v1.balance_transactions.list({"expand": ["data.source"]}).data
    assert isinstance(moved.source, stripe.Charge)
    refund = simulator.sdk.v1.refunds.create({"payment_intent": intent.id, "expand": ["charge.payment_intent"]})
    assert isinstance(refund.charge, stripe.Charge)
    assert isinstance(refund.charge.payment_intent, stripe.PaymentIntent)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        simulator.sdk.v1.payment_intents.retrieve(intent.id, {"expand": ["amount"]})


def test_metadata_is_merged(simulator: Simulated) -> None:
    intent = simulator.pay(metadata={"a": "1", "b": "2"})
    update = simulator.sdk.v1.payment_intents.update
    assert update(intent.id, {"metadata": {"b": "", "c": "3"}}).metadata.to_dict() == {"a": "1", "c": "3"}
    assert update(intent.id, {"metadata": ""}).metadata.to_dict() == {}
