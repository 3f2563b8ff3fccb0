"""`/v1/approvals`: list, get, approve, reject, cancel."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.credentials import read_bytes, show_bytes
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routes.risk import show_assessment
from bursar.api.routing import GatedRoute
from bursar.core.authority import approval_reading, approvals
from bursar.core.authority.approval_reading import Background, Changing, Paying, Seen
from bursar.core.authority.approval_store import Approval
from bursar.core.authority.approvals import needs_of, payload_of
from bursar.core.authority.model import refused
from bursar.core.authority.security_keys import Assertion, Signed
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.risk import explaining
from bursar.features.risk.explaining import Explained
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.money import show_minor
from bursar.wire import approvals as wire
from bursar.wire.credentials import ApprovalChallenge, KeyAssertion
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/approvals", tags=["approvals"], route_class=GatedRoute)


@router.get("", response_model=Page[wire.Approval], responses=READ_PROBLEMS)
async def list_approvals(
    caller: CallerOf,
    status: Annotated[wire.ApprovalStatus | None, Query(description="Only those in this status.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What waits, or waited, for a person, oldest first. An agent sees its own."""
    after = read_cursor("apr", cursor)
    async with caller.reading("list_approvals") as (tx, actor):
        found = await approval_reading.list_for(tx, actor, status, after, limit + 1)
    items = [show_approval(seen) for seen in found[:limit]]
    return json_response(Page[wire.Approval](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{approval_id}", response_model=wire.ApprovalDetail, responses=READ_PROBLEMS)
async def get_approval(caller: CallerOf, approval_id: IdPath) -> Response:
    """One approval: what the system knows, and beside it the agent's own words. An agent finds its own."""
    async with caller.reading("get_approval") as (tx, actor):
        seen = await approval_reading.find_for(tx, actor, read("apr", approval_id))
        background = await approval_reading.background_of(tx, seen.approval)
        decision_id = None if actor.kind == "agent" else seen.approval.decision_id
        risk = await explaining.find(tx, decision_id) if decision_id else None
    return json_response(_show_detail(seen, background, risk))


@router.post("/{approval_id}/approve", response_model=wire.Approval, responses=WRITE_PROBLEMS)
async def approve_approval(
    caller: CallerOf, approval_id: IdPath, body: wire.ApproveApproval, key: OptionalIdempotencyKey = None
) -> Response:
    """Vote for what has the `payload_hash` you saw; with the last vote needed it is carried out a moment later."""
    bound = bytes.fromhex(body.payload_hash)
    signed = Signed(_assertion(body.assertion), caller.door.relying_party) if body.assertion else None

    async def work(tx: Tx, actor: Actor) -> Happening | StepUpFailed:
        return await approvals.approve(tx, actor, read("apr", approval_id), bound, body.code, signed)

    return await _decide(caller, "approve_approval", approval_id, key, body, work)


def _assertion(given: KeyAssertion) -> Assertion:
    return Assertion(
        read_bytes("assertion.credential_id", given.credential_id),
        read_bytes("assertion.client_data", given.client_data),
        read_bytes("assertion.authenticator_data", given.authenticator_data),
        read_bytes("assertion.signature", given.signature),
    )


@router.post("/{approval_id}/challenge", response_model=ApprovalChallenge, responses=WRITE_PROBLEMS)
async def create_challenge(caller: CallerOf, approval_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Get what a security key of yours must sign to approve this, once and within five minutes."""
    party = caller.door.relying_party

    async def work(tx: Tx, actor: Actor) -> tuple[ApprovalChallenge, Happening]:
        found, offered = await approvals.challenge(tx, actor, read("apr", approval_id))
        told = ApprovalChallenge(
            approval_id=show("apr", found.id),
            payload_hash=found.payload_hash.hex(),
            challenge=show_bytes(offered.challenge),
            rp_id=party.id,
            credential_ids=[show_bytes(each) for each in offered.credential_ids],
            expires_at=offered.expires_at,
        )
        return told, Happening("approval.challenged", found.status, {}, show("apr", found.id))

    ask = caller.ask("create_challenge", key, None, approval_id)
    return await caller.act(ask, work, json_answer)


@router.post("/{approval_id}/reject", response_model=wire.Approval, responses=WRITE_PROBLEMS)
async def reject_approval(
    caller: CallerOf, approval_id: IdPath, body: wire.RejectApproval, key: OptionalIdempotencyKey = None
) -> Response:
    """End it by one operator's no: the funds and limits that were set aside are given back."""

    async def work(tx: Tx, actor: Actor) -> Happening:
        return await approvals.reject(tx, actor, read("apr", approval_id), body.reason)

    return await _decide(caller, "reject_approval", approval_id, key, body, work)


@router.post("/{approval_id}/cancel", response_model=wire.Approval, responses=WRITE_PROBLEMS)
async def cancel_approval(caller: CallerOf, approval_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Take a pending one back: an agent its own, an operator any."""

    async def work(tx: Tx, actor: Actor) -> Happening:
        return await approvals.cancel(tx, actor, read("apr", approval_id))

    return await _decide(caller, "cancel_approval", approval_id, key, None, work)


async def _decide(
    caller: Caller,
    action: str,
    approval_id: str,
    key: str | None,
    body: wire.ApproveApproval | wire.RejectApproval | None,
    decide: Callable[[Tx, Actor], Awaitable[Happening | StepUpFailed]],
) -> Response:
    async def work(tx: Tx, actor: Actor) -> tuple[Seen | StepUpFailed, Happening]:
        happening = await decide(tx, actor)
        if isinstance(happening, StepUpFailed):
            return happening, refused(action, happening)
        return await approval_reading.find_for(tx, actor, read("apr", approval_id)), happening

    ask = caller.ask(action, key, body, approval_id)
    return await caller.act(ask, work, lambda seen: json_answer(show_approval(seen)))


def show_approval(seen: Seen) -> wire.Approval:
    """An approval as the wire shows it."""
    return wire.Approval(**_facts(seen))


def _facts(seen: Seen) -> dict[str, Any]:
    approval, needs = seen.approval, needs_of(seen.approval)
    return {
        **_about(approval, seen.about),
        "id": show("apr", approval.id),
        "kind": approval.kind,
        "status": approval.status,
        "agent_id": show("prn", approval.maker_id),
        "agent": seen.maker,
        "payload_hash": approval.payload_hash.hex(),
        "quorum": needs.quorum,
        "roles": list(needs.roles),
        "step_up": needs.step_up,
        "why": list(needs.why),
        "votes": [
            wire.ApprovalVote(operator=v.operator, vote=v.vote, stepped_up=v.stepped_up, voted_at=v.voted_at)
            for v in seen.votes
        ],
        "hold_id": show("hold", approval.hold_id) if approval.hold_id else None,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "ended_at": approval.ended_at,
        "ended_why": approval.ended_why,
        "executed_event_id": show("evt", approval.executed_event_id) if approval.executed_event_id else None,
    }


def _about(approval: Approval, about: Paying | Changing) -> dict[str, Any]:
    """What a payment and a change of a mandate do not have in common."""
    payload = payload_of(approval)
    facts = dict.fromkeys(("mandate_change", "source", "payee", "whom", "amount", "currency")) | {
        "action": payload["action"]
    }
    if isinstance(about, Paying):
        amount = show_minor(payload["amount_minor"], payload["currency"])
        money = {"amount": amount, "currency": payload["currency"]}
        return facts | money | about._asdict()
    assert approval.mandate_id
    return facts | {
        "mandate_change": wire.RequestedChange(
            mandate_id=show("mnd", approval.mandate_id),
            mandate=about.mandate,
            version=payload["version"],
            changes=[wire.TermChange(field=name, before=old, after=new) for name, old, new in about.fields],
        )
    }


def _show_detail(seen: Seen, background: Background | None, risk: Explained | None) -> wire.ApprovalDetail:
    payload = payload_of(seen.approval)
    order: dict[str, Any] = payload.get("order") or {"description": payload.get("purpose")}
    return wire.ApprovalDetail(
        **_facts(seen),
        known_payee=_known_payee(background) if background else None,
        risk=show_assessment(risk) if risk else None,
        agents_words=wire.AgentsWords(description=order.get("description"), metadata=order.get("metadata", {})),
    )


def _known_payee(background: Background) -> wire.KnownPayee:
    known = background.counterparty
    return wire.KnownPayee(
        counterparty_id=show("cp", known.id) if known else None,
        name=known.name if known else None,
        status="blocked" if known and known.status == "blocked" else "active" if known else None,
        since=known.created_at if known else None,
        earlier_payments=background.payments,
        last_payment_at=background.last_at,
    )
