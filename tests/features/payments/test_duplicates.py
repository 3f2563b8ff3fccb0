"""The guard against duplicates on the road to a provider: a fresh key is no reason to pay or be paid twice."""

from typing import Any

import httpx2

from tests.features.payments.counter import Counter
from tests.features.payments.test_authority import agent_under

GUARD = {"duplicate_window_seconds": 600}


async def _charge(counter: Counter, agent: str, method: str, amount: str = "5.00", **more: Any) -> httpx2.Response:
    asked = {"account": counter.tenant.side, "amount": amount, "currency": "USD", "payment_method": method, **more}
    return await counter.post("/v1/payments", asked, who=agent)


def _earlier(answer: httpx2.Response) -> str:
    """The id that a refusal names."""
    assert (answer.status_code, answer.json()["code"]) == (409, "possible_duplicate"), answer.text
    return answer.json()["detail"].split()[0]


async def test_a_charge_with_a_fresh_key_is_stopped_and_goes_on_when_it_is_meant(counter: Counter) -> None:
    agent, method = await agent_under(counter, GUARD), await counter.method("sandbox_ok")
    assert (await _charge(counter, agent, method)).json()["status"] == "succeeded"
    earlier = _earlier(await _charge(counter, agent, method))
    assert await counter.balance(counter.tenant.side) == "5.00"
    meant = await _charge(counter, agent, method, acknowledge_duplicate=earlier)
    assert meant.json()["status"] == "succeeded"
    # What was acknowledged is that one, not every one.
    _earlier(await _charge(counter, agent, method, acknowledge_duplicate=earlier))
    assert await counter.balance(counter.tenant.side) == "10.00"


async def test_another_amount_or_another_method_is_another_payment(counter: Counter) -> None:
    agent, method = await agent_under(counter, GUARD), await counter.method("sandbox_ok")
    await _charge(counter, agent, method)
    assert (await _charge(counter, agent, method, "5.01")).json()["status"] == "succeeded"
    assert (await _charge(counter, agent, await counter.method("card_of_another"))).json()["status"] == "succeeded"


async def test_a_payment_that_was_declined_is_confirmed_again_without_asking(counter: Counter) -> None:
    agent, method = await agent_under(counter, GUARD), await counter.method("sandbox_declined")
    declined = (await _charge(counter, agent, method)).json()
    assert declined["status"] == "failed"
    again = await counter.post(f"/v1/payments/{declined['id']}/confirm", {}, who=agent)
    assert (again.status_code, again.json()["status"]) == (200, "failed")
    # A new payment is another matter: the agent may not know that the first one failed.
    earlier = _earlier(await _charge(counter, agent, method))
    created = await _charge(counter, agent, method, confirm=False)
    path = f"/v1/payments/{created.json()['id']}/confirm"
    assert _earlier(await counter.post(path, {}, who=agent)) == earlier
    assert (await counter.post(path, {"acknowledge_duplicate": earlier}, who=agent)).status_code == 200


async def test_a_refund_of_the_same_amount_is_stopped_for_the_same_payment_only(counter: Counter) -> None:
    first, second = [(await counter.pay()).json()["id"] for _ in range(2)]
    agent = await agent_under(counter, GUARD)

    async def refund(payment: str, **more: Any) -> httpx2.Response:
        return await counter.post(f"/v1/payments/{payment}/refund", {"amount": "10.00", **more}, who=agent)

    assert (await refund(first)).status_code == 201
    earlier = _earlier(await refund(first))
    assert (await refund(second)).status_code == 201
    assert (await refund(first, acknowledge_duplicate=earlier)).status_code == 201
    assert await counter.balance(counter.tenant.side) == "170.00"


async def test_a_payout_to_the_same_destination_is_stopped(counter: Counter) -> None:
    await counter.pay()
    agent = await agent_under(counter, GUARD)

    async def pay_out(**more: Any) -> httpx2.Response:
        asked = {"account": counter.tenant.side, "amount": "20.00", "currency": "USD", **more}
        return await counter.post("/v1/payouts", asked, who=agent)

    assert (await pay_out()).status_code == 201
    earlier = _earlier(await pay_out())
    assert (await pay_out(acknowledge_duplicate=earlier)).status_code == 201


async def test_what_is_acknowledged_must_be_an_id_of_an_event(counter: Counter) -> None:
    agent, method = await agent_under(counter, GUARD), await counter.method("sandbox_ok")
    refused = await _charge(counter, agent, method, acknowledge_duplicate="yes")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_argument")


async def test_a_payout_uses_the_windows_of_its_mandate(counter: Counter) -> None:
    await counter.pay()
    window = {"period": "day", "currency": "USD", "max_amount": "30.00"}
    agent = await agent_under(counter, {"windows": [window]})
    asked = {"account": counter.tenant.side, "amount": "20.00", "currency": "USD"}
    assert (await counter.post("/v1/payouts", asked, who=agent)).status_code == 201
    assert (await counter.post("/v1/payouts", asked, who=agent)).json()["code"] == "limit_exceeded"
