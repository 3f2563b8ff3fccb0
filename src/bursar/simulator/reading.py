"""Reading objects: one, a page of a list, and what a search finds; with the objects they point at, if asked for."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from bursar.simulator import fields, searching
from bursar.simulator.errors import Body, bad_parameter
from bursar.simulator.world import World, is_free

_PAGE: fields.Fields = {"ending_before": fields.text, "limit": fields.integer, "starting_after": fields.text}

# What a list of each kind can be narrowed by, apart from its time.
FILTERS: Mapping[str, tuple[str, ...]] = {
    "balance_transaction": ("currency", "payout", "source", "type"),
    "charge": ("customer", "payment_intent"),
    "customer": ("email",),
    "dispute": ("charge", "payment_intent"),
    "event": ("type",),
    "payment_intent": ("customer",),
    "payment_method": ("customer", "type"),
    "payout": ("destination", "status"),
    "refund": ("charge", "payment_intent"),
    "webhook_endpoint": (),
}

# Which members hold the id of another object, and of what kind it is.
_POINTERS: Mapping[str, Mapping[str, str]] = {
    "balance_transaction": {"source": "*"},
    "charge": {
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "payment_intent": "payment_intent",
        "refunds": "",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_intent": {"customer": "customer", "latest_charge": "charge", "payment_method": "payment_method"},
    "payment_method": {"customer": "customer"},
    "payout": {
        "balance_transaction": "balance_transaction",
        "failure_balance_transaction": "balance_transaction",
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
    },
}
_DEEPEST = 4


def retriever(kind: str, param: str = "id") -> Callable[[World, Body, str], Body]:
    """GET /v1/{kind}s/{id}."""

    def retrieve(world: World, given: Body, object_id: str) -> Body:
        fields.read(given, {})
        return world.get(kind, object_id, param)

    return retrieve


def lister(kind: str) -> Callable[[World, Body, str], Body]:
    """GET /v1/{kind}s: newest first."""
    narrowed: fields.Fields = {
        **_PAGE,
        **dict.fromkeys(FILTERS[kind], fields.text),
        "created": fields.times,
    }

    def page(world: World, given: Body, path: str) -> Body:
        asked = fields.read(given, narrowed)
        limit = _limit(asked)
        before, after = (_place(world, kind, asked, name) for name in ("starting_after", "ending_before"))
        if before is not None and after is not None:
            raise bad_parameter("You can only specify one of starting_after and ending_before.", "starting_after")
        found = world.store.page(
            kind,
            where={name: asked[name] for name in FILTERS[kind] if name in asked},
            created=asked.get("created"),
            before=before,
            after=after,
            limit=limit + 1,
        )
        # One more than asked for tells whether there are more; it is the farthest from where the page began.
        more = len(found) > limit
        found = found if not more else found[:limit] if after is None else found[1:]
        return {"object": "list", "data": found, "has_more": more, "url": path, "_kind": kind}

    return page


def searcher(kind: str) -> Callable[[World, Body, str], Body]:
    """GET /v1/{kind}s/search: what a query in Stripe's search language finds, newest first."""

    def search(world: World, given: Body, path: str) -> Body:
        asked = fields.read(given, {"limit": fields.integer, "page": fields.text, "query": fields.text}, ("query",))
        limit = _limit(asked)
        agrees = searching.query(asked["query"])
        newest = world.now - world.setting("seconds_until_search_finds")
        found = [body for body in world.store.page(kind) if body["created"] <= newest and agrees(body)]
        start = fields.integer("page", asked["page"]) if "page" in asked else 0
        more = len(found) > start + limit
        return {
            "object": "search_result",
            "data": found[start : start + limit],
            "has_more": more,
            "next_page": str(start + limit) if more else None,
            "url": path,
            "_kind": kind,
        }

    return search


def _limit(asked: Body) -> int:
    limit: int = asked.get("limit", 10)
    if not 1 <= limit <= 100:
        raise bad_parameter("This value must be between 1 and 100.", "limit", "parameter_invalid_integer")
    return limit


def _place(world: World, kind: str, asked: Body, name: str) -> int | None:
    if name not in asked:
        return None
    world.get(kind, asked[name], name, in_path=False)
    return world.store.place(asked[name])


def with_objects(world: World, answer: Body, paths: Any) -> Body:
    """The answer as it is shown, with what `expand` names put in place of its id.

    Raises:
        StripeError: a path names no member that holds an id.
    """
    if not isinstance(paths, list):
        raise bad_parameter("Invalid array", "expand")
    kind: str = answer.get("_kind") or answer.get("object", "")
    answer = {name: value for name, value in answer.items() if is_free(name)} if "_kind" in answer else answer
    if "data" in answer and "has_more" in answer:
        answer["data"] = [world.shown(item) for item in answer["data"]]
    elif "created" in answer:
        answer = world.shown(answer)
    for path in cast("list[Any]", paths):
        steps = fields.text("expand", path).split(".")
        in_list = "has_more" in answer and steps[0] == "data"
        _check(kind if in_list or "has_more" not in answer else "", steps[1:] if in_list else steps, path)
        for body in answer["data"] if in_list else [answer]:
            _expand(world, body, steps[1:] if in_list else steps)
    return answer


def _check(kind: str, steps: list[str], path: str) -> None:
    if not 1 <= len(steps) <= _DEEPEST:
        raise bad_parameter(f"You can expand 1 to {_DEEPEST} levels of a property ({path}).", "expand")
    for step in steps:
        if kind != "*" and step not in _POINTERS.get(kind, {}):
            raise bad_parameter(f"This property cannot be expanded ({path}).", "expand")
        kind = _POINTERS[kind][step] if kind != "*" else "*"


def _expand(world: World, body: Body, steps: list[str]) -> None:
    name, rest = steps[0], steps[1:]
    if name == "refunds":
        found = [world.shown(one) for one in world.store.page("refund", where={"charge": body["id"]})]
        url = f"/v1/charges/{body['id']}/refunds"
        body["refunds"] = {"object": "list", "data": found, "has_more": False, "url": url}
    elif isinstance(body.get(name), str):
        target = world.store.get(body[name])
        body[name] = world.shown(target) if target else body[name]
    if rest and isinstance(body.get(name), dict):
        _expand(world, body[name], rest)
