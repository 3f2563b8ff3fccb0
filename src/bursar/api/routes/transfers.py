"""`/v1/transfers`: create one or many, get, list, reverse."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import PENDING, CallerOf, IdempotencyKey, json_response, show_pending
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, answer_of, problem_of
from bursar.api.routes.limits import authority_facts_of
from bursar.api.routes.refs import Cursor, IdPath, Limit, account_ref, acknowledged, id_of, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority import checking
from bursar.core.authority import service as authority
from bursar.core.authority.checking import Checked
from bursar.core.authority.model import PendingApproval, Told
from bursar.core.idempotency.model import Answer
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger.model import Entry, Posting
from bursar.core.ledger.orders import NO_CLAIMS, Claims, Order
from bursar.core.ledger.outcomes import AllDone, Done, Pending
from bursar.features.risk.deciding import assess
from bursar.features.transfers import service as transfers
from bursar.features.transfers.model import Transfer
from bursar.features.transfers.service import Wish
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import Refusal, UnknownObject
from bursar.wire import mandates as mandate_wire
from bursar.wire import transfers as wire
from bursar.wire.fields import ACCOUNT_PATTERN, Page, show_time

router = APIRouter(prefix="/v1/transfers", tags=["transfers"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Transfer, responses=WRITE_PROBLEMS | PENDING)
async def create_transfer(caller: CallerOf, key: IdempotencyKey, body: wire.CreateTransfer) -> Response:
    """Move money from one account to another.

    Both balances, the entry and the audit row commit together or not at all; the answer is sent after the commit.
    """
    wish = _wish(body, "")
    ask = caller.ask("create_transfer", key, body)
    return await caller.move(ask, lambda actor: [transfers.send(actor, wish)], one_transfer(caller.request_id))


@router.post("/batch", response_model=wire.TransferResults, responses=WRITE_PROBLEMS)
async def create_transfers(caller: CallerOf, key: IdempotencyKey, body: wire.CreateTransfers) -> Response:
    """Move money up to 5,000 times in one commit, all or nothing, or each on its own, in the order given."""
    wishes = [_wish(transfer, f"transfers.{i}.") for i, transfer in enumerate(body.transfers)]
    ask = caller.ask("create_transfers", key, body)
    together = body.mode == "all_or_nothing"

    def orders(actor: Actor) -> list[Order]:
        return transfers.send_together(actor, wishes) if together else transfers.send_each(actor, wishes)

    return await caller.move(ask, orders, _results(caller.request_id, together), size=len(wishes))


@router.post("/check", response_model=mandate_wire.CheckedTransfer, responses=WRITE_PROBLEMS)
async def check_transfer(caller: CallerOf, body: wire.CheckTransfer) -> Response:
    """What would become of a transfer if it were sent now. Nothing moves, nothing is set aside or recorded.

    An agent asks for itself; an operator for the agent named, or for themselves.
    """
    wish = _wish(body, "")
    ask = caller.ask("check_transfer")
    async with caller.door.database.transaction(ask.credential.tenant_id) as tx:
        actor = await authority.authorise_read(tx, ask)
        agent = await _checked_for(tx, actor, body.agent)
        checked = await checking.check(tx, agent, "create_transfer", transfers.send(agent or actor, wish), assess)
    return json_response(_checked(checked))


async def _checked_for(tx: Tx, actor: Actor, agent: str | None) -> Actor | None:
    """The agent whose mandates are asked; None when nobody's are."""
    if actor.kind == "agent":
        if agent is not None and agent not in (actor.name, show("prn", actor.principal_id)):
            raise UnknownObject("agent")
        return actor
    return await identity.as_agent(tx, agent) if agent is not None else None


def _checked(checked: Checked) -> mandate_wire.CheckedTransfer:
    outcome = checked.outcome
    refused = isinstance(outcome, Refusal)
    said = "deny" if refused else "needs_approval" if isinstance(outcome, Pending) else "allow"
    why = " ".join(result.fact for result in checked.results if result.said == said) if said != "allow" else ""
    return mandate_wire.CheckedTransfer(
        outcome=said,
        code=outcome.code if refused else None,
        detail=outcome.detail if refused else why,
        results=[
            mandate_wire.RuleResult(mandate=show("mnd", r.mandate_id), rule=r.rule, outcome=r.said, fact=r.fact)
            for r in checked.results
        ],
    )


@router.get("", response_model=Page[wire.Transfer], responses=READ_PROBLEMS)
async def list_transfers(
    caller: CallerOf,
    account: Annotated[str | None, Query(max_length=64, pattern=ACCOUNT_PATTERN)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Transfers, newest first; of one account if asked."""
    before = read_cursor("tr", cursor)
    ref = account_ref(account) if account is not None else None
    async with caller.reading("list_transfers") as (tx, _):
        found = await transfers.list_recent(tx, ref, before, limit + 1)
    items = [show_transfer(t) for t in found[:limit]]
    return json_response(Page[wire.Transfer](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{transfer_id}", response_model=wire.Transfer, responses=READ_PROBLEMS)
async def get_transfer(caller: CallerOf, transfer_id: IdPath) -> Response:
    """One transfer."""
    async with caller.reading("get_transfer") as (tx, _):
        return json_response(show_transfer(await transfers.find(tx, read("tr", transfer_id))))


@router.post(
    "/{transfer_id}/reverse", status_code=201, response_model=wire.Transfer, responses=WRITE_PROBLEMS | PENDING
)
async def reverse_transfer(
    caller: CallerOf, key: IdempotencyKey, transfer_id: IdPath, body: wire.ReverseTransfer | None = None
) -> Response:
    """Take a transfer back, once: what is left of it, or a part. The reversal is a transfer of its own."""
    asked = body or wire.ReverseTransfer()
    ask = caller.ask("reverse_transfer", key, asked, transfer_id)

    def orders(actor: Actor) -> list[Order]:
        entry_id = read("tr", transfer_id)
        if entry_id is None:
            raise UnknownObject("transfer")
        return [transfers.reverse(actor, entry_id, asked.amount, asked.description)]

    return await caller.move(ask, orders, one_transfer(caller.request_id))


def _wish(body: wire.CreateTransfer, at: str) -> Wish:
    money = read_amount(body.amount, body.currency, f"{at}amount")
    source, target = account_ref(body.source), account_ref(body.target)
    claims = NO_CLAIMS
    if body.mandate is not None or body.acknowledge_duplicate is not None:
        claims = Claims(id_of("mnd", body.mandate, f"{at}mandate"), acknowledged(body.acknowledge_duplicate, at))
    return Wish(source, target, money, body.description, body.metadata, body.effective_at, claims)


def one_transfer(request_id: str) -> Callable[[Sequence[Told]], Answer]:
    """How a single transfer is answered."""

    def answer(outcomes: Sequence[Told]) -> Answer:
        (outcome,) = outcomes
        if isinstance(outcome, Refusal):
            return answer_of(outcome, request_id)
        assert isinstance(outcome, Done)
        facts = _facts_of_done(outcome)
        facts["authority"] = authority_facts_of(outcome)
        return Answer(201, orjson.dumps(facts))

    return answer


def _results(request_id: str, together: bool) -> Callable[[Sequence[Told]], Answer]:
    def answer(outcomes: Sequence[Told]) -> Answer:
        first = outcomes[0]
        if together and isinstance(first, Refusal):
            return answer_of(first, request_id)
        each = first.parts if isinstance(first, AllDone) else outcomes
        results = [_result(outcome, request_id) for outcome in each]
        posted = sum(result["transfer"] is not None for result in results)
        waiting = sum(result["pending"] is not None for result in results)
        told = {
            "mode": "all_or_nothing" if together else "each",
            "posted": posted,
            "pending": waiting,
            "refused": len(results) - posted - waiting,
            "results": results,
        }
        return Answer(200, orjson.dumps(told))

    return answer


def _result(outcome: Any, request_id: str) -> dict[str, Json]:
    """What became of one, as JSON of the shape of `wire.TransferResult`."""
    told: dict[str, Json] = {"transfer": None, "pending": None, "problem": None}
    if isinstance(outcome, Done):
        told["transfer"] = facts = _facts_of_done(outcome)
        facts["authority"] = None
    elif isinstance(outcome, PendingApproval):
        told["pending"] = show_pending(outcome).model_dump(mode="json")
    else:
        told["problem"] = problem_of(outcome, request_id).model_dump(mode="json")
    return told


def show_transfer(transfer: Transfer) -> wire.Transfer:
    """A transfer as the wire shows it."""
    return wire.Transfer.model_validate(_facts_of(*transfer))


def _facts_of_done(done: Done) -> dict[str, Json]:
    """Those of the transfer an order just made. Nothing can have been reversed of it yet."""
    account, target, entry, postings, _, _ = done
    assert entry and target
    return _facts_of(entry, postings[0], account.number, target.number, 0)


def _facts_of(entry: Entry, posting: Posting, source: str, target: str, reversed_minor: int) -> dict[str, Json]:
    """The same as JSON: the busiest answer does without the models, which would take five times as long."""
    entry_id, kind, event_id, reverses_id, hold_id, description, metadata, effective_at, recorded_at = entry
    _, _, _, _, currency, minor, source_version, source_balance, target_version, _, _ = posting
    return {
        "id": show("tr", entry_id),
        "kind": kind,
        "status": "posted",
        "source": source,
        "target": target,
        "amount": show_minor(minor, currency),
        "currency": currency,
        "description": description,
        "metadata": dict(metadata),
        "effective_at": show_time(effective_at),
        "recorded_at": show_time(recorded_at),
        "source_balance": show_minor(source_balance, currency),
        "source_version": source_version,
        "target_version": target_version,
        "reverses": show("tr", reverses_id) if reverses_id else None,
        "reversed_amount": show_minor(reversed_minor, currency),
        "hold_id": show("hold", hold_id) if hold_id else None,
        "event_id": show("evt", event_id),
    }
