"""The simulator's own calls, under `/_control/`: the clock, faults, disputes, the books. None of them is Stripe's."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from bursar.simulator import books, confirming, delivery_store, disputes, endpoints, faults, payouts, refunds
from bursar.simulator.errors import Body, StripeError
from bursar.simulator.store import Store
from bursar.simulator.timekeeping import catch_up
from bursar.simulator.webhooks import Postman
from bursar.simulator.world import SETTINGS, World, clock, is_held, set_clock

_FARTHEST = 4_102_444_800  # 2100-01-01; a typing error must not make a century of deliveries.


class BadRequest(Exception):
    """What was asked of the simulator makes no sense; the message says why."""


class Control:
    """Whoever tests drives the provider with these."""

    def __init__(self, store: Store, postman: Postman) -> None:
        self._store = store
        self._postman = postman
        self._calls: Mapping[tuple[str, str], Callable[[Body], Awaitable[Any]]] = {
            ("GET", "books"): self._books,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "deliveries"): self._deliveries,
            ("POST", "deliveries"): self._deliver,
            ("POST", "disputes"): self._dispute,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "authenticate"): self._authenticate,
            ("POST", "fail_payout"): self._fail_payout,
            ("POST", "fail_refund"): self._fail_refund,
            ("GET", "requests"): self._requests,
            ("POST", "reset"): self._reset,
            ("POST", "roll_secret"): self._roll_secret,
            ("GET", "settings"): self._settings,
            ("POST", "settings"): self._set_settings,
        }

    async def answer(self, method: str, name: str, body: bytes) -> tuple[int, Any]:
        """Carry a call out; its status and its answer as JSON."""
        does = self._calls.get((method, name))
        if does is None:
            known = ", ".join(sorted(f"{each} {path}" for each, path in self._calls))
            return 404, {"error": f"There is no {method} /_control/{name}. There are: {known}."}
        try:
            given = _object(body)
            catch_up(self._store)
            return 200, await does(given)
        except (BadRequest, faults.BadRule, StripeError) as error:
            return 400, {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"The body does not hold what is needed: {error!r}"}

    async def _books(self, given: Body) -> Body:
        return books.dump(World(self._store))

    async def _clock(self, given: Body) -> Body:
        return {"now": clock(self._store), "held": is_held(self._store)}

    async def _set_clock(self, given: Body) -> Body:
        """`hold` stops or starts it; `advance` moves it by seconds, `to` to a time, with all that comes meanwhile."""
        if unknown := given.keys() - {"advance", "hold", "to"}:
            raise BadRequest(f"The clock knows advance, hold and to, not {', '.join(sorted(unknown))}.")
        if "hold" in given:
            set_clock(self._store, clock(self._store), held=bool(given["hold"]))
        now = clock(self._store)
        at = float(given.get("to", now + float(given.get("advance", 0))))
        if not now <= at <= _FARTHEST:
            raise BadRequest("The clock only goes forward, and not beyond the year 2100.")
        tried = await self._postman.go_to(at)
        return {**await self._clock({}), "deliveries": tried}

    async def _deliveries(self, given: Body) -> Body:
        return {"data": delivery_store.deliveries(self._store)}

    async def _deliver(self, given: Body) -> Body:
        """Send what is due now and wait for it; with `event`, send that one once more to everyone."""
        if "event" in given:
            world = World(self._store)
            event = world.get("event", str(given["event"]))
            now = clock(self._store)
            for endpoint in self._store.page("webhook_endpoint", where={"status": "enabled"}):
                delivery_store.add_delivery(self._store, event["id"], endpoint["id"], now, since=now, fault="again")
        return {"deliveries": await self._postman.catch_up()}

    async def _dispute(self, given: Body) -> Body:
        """`charge` or `payment_intent`, and if wanted `amount`, `reason` and `inquiry`."""
        with self._store.transaction():
            world = World(self._store)
            charge_id = given.get("charge") or world.get("payment_intent", given["payment_intent"])["latest_charge"]
            made = world.get("charge", str(charge_id))
            if not made["captured"]:
                raise BadRequest("What was not captured cannot be disputed.")
            amount = given.get("amount", made["amount_captured"])
            if not isinstance(amount, int) or amount < 1:
                raise BadRequest("`amount` is a whole number of minor units, 1 or more.")
            reason = str(given.get("reason", "general"))
            dispute = disputes.open_dispute(world, made, amount, reason, inquiry=bool(given.get("inquiry")))
            return world.shown(dispute)

    async def _faults(self, given: Body) -> Body:
        return {"data": delivery_store.faults(self._store), "modes": faults.MODES}

    async def _add_fault(self, given: Body) -> Body:
        rule = faults.rule_of(given)
        return {"id": delivery_store.add_fault(self._store, rule), **rule, "seen": 0, "hits": 0}

    async def _remove_faults(self, given: Body) -> Body:
        """All rules, or the one with this `id`."""
        number = int(given["id"]) if "id" in given else None
        return {"removed": delivery_store.remove_fault(self._store, number)}

    async def _authenticate(self, given: Body) -> Body:
        """What the customer does when a payment requires action: `payment_intent`, and `succeeds`."""
        with self._store.transaction():
            world = World(self._store)
            try:
                confirming.authenticate(world, str(given["payment_intent"]), succeeds=bool(given.get("succeeds", True)))
            except StripeError as error:
                if not error.effects:
                    raise
            return world.shown(world.get("payment_intent", str(given["payment_intent"])))

    async def _fail_payout(self, given: Body) -> Body:
        with self._store.transaction():
            world = World(self._store)
            payouts.fail(world, str(given["payout"]))
            return world.shown(world.get("payout", str(given["payout"])))

    async def _fail_refund(self, given: Body) -> Body:
        with self._store.transaction():
            world = World(self._store)
            refunds.fail(world, str(given["refund"]), str(given.get("reason", "unknown")))
            return world.shown(world.get("refund", str(given["refund"])))

    async def _reset(self, given: Body) -> Body:
        """Begin anew: no objects, no faults, settings and clock as they were at first."""
        with self._store.transaction():
            self._store.reset()
        return {}

    async def _requests(self, given: Body) -> Body:
        return {"data": self._store.requests()}

    async def _roll_secret(self, given: Body) -> Body:
        """A new secret for `webhook_endpoint`; the old one signs too for `seconds`."""
        with self._store.transaction():
            world = World(self._store)
            secret = endpoints.roll(world, str(given["webhook_endpoint"]), int(given.get("seconds", 86_400)))
        return {"secret": secret}

    async def _settings(self, given: Body) -> Body:
        world = World(self._store)
        return {name: world.setting(name) for name in SETTINGS}

    async def _set_settings(self, given: Body) -> Body:
        for name, value in given.items():
            if name not in SETTINGS or not isinstance(value, int) or value < 0:
                raise BadRequest(f"{name} is no setting, or {value} no whole number of 0 or more.")
        with self._store.transaction():
            for name, value in given.items():
                self._store.set(name, int(value))
        return await self._settings({})


def _object(body: bytes) -> Body:
    given: Any = json.loads(body) if body else {}
    if not isinstance(given, dict):
        raise BadRequest("The body is to be a JSON object.")
    return cast("Body", given)
