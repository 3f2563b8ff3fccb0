"""What is asked: of every workload enough, and nothing that the guard against duplicates would take for one."""

import json
from itertools import islice

import pytest

from bench.wire import Endpoint
from bench.workloads import ACCOUNTS, AMOUNTS, BATCH, COMPARED, HOT, TWENTY, batches, orders

NOWHERE = Endpoint("127.0.0.1", 1, "/v1/transfers", "bk_test_key")


@pytest.mark.parametrize("workload", COMPARED)
def test_no_amount_comes_twice_for_a_while_and_nobody_pays_themselves(workload: str) -> None:
    asked = list(islice(orders(workload, 1), AMOUNTS))
    assert len({amount for _, _, amount in asked}) == AMOUNTS
    assert all(source != target for source, target, _ in asked)
    assert max(float(amount) for _, _, amount in asked) <= 800  # Above it two people would have to agree.


def test_a_seed_asks_the_same_again_and_another_one_something_else() -> None:
    first, again, other = (list(islice(orders(TWENTY, seed), 50)) for seed in (1, 1, 2))
    assert first == again != other


def test_the_hot_account_pays_all_and_twenty_pay_each_other() -> None:
    assert {source for source, _, _ in islice(orders(HOT, 1), 100)} == {ACCOUNTS[0]}
    pairs = {(source, target) for source, target, _ in islice(orders(TWENTY, 1), 5_000)}
    assert len({source for source, _ in pairs}) == 20
    assert len(pairs) == 20 * 19


def test_a_batch_is_one_request_under_one_key_and_the_next_goes_on() -> None:
    first, second = islice(batches(NOWHERE, TWENTY, 1, "each"), 2)
    heads, bodies = zip(*(request.split(b"\r\n\r\n") for request in (first, second)), strict=True)
    assert all(head.startswith(b"POST /v1/transfers/batch HTTP/1.1\r\n") for head in heads)
    assert heads[0] != heads[1]
    asked = [order for body in bodies for order in json.loads(body)["transfers"]]
    assert json.loads(bodies[0])["mode"] == "each"
    assert [(o["source"], o["target"], o["amount"]) for o in asked] == list(islice(orders(TWENTY, 1), 2 * BATCH))
