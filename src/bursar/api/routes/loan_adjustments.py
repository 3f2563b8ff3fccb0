"""`/v1/loans/{loan_id}/…`: what only people do to a loan."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import PENDING, Caller, CallerOf, IdempotencyKey, json_answer
from bursar.api.problems import WRITE_PROBLEMS
from bursar.api.routes.loan_shapes import show_loan
from bursar.api.routes.loans import move
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.lending.adjusting import Adjustment, Makes, adjust
from bursar.features.lending.events import ChargedOff, Paused, Rescheduled, Resumed, Waived, WrittenOff
from bursar.features.lending.loan import Loan, Wish
from bursar.features.lending.moving import Moving
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read
from bursar.kernel.money import read_amount
from bursar.wire import loans as wire

router = APIRouter(prefix="/v1/loans", tags=["lending"], route_class=GatedRoute)


@router.post("/{loan_id}/waive", response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def waive_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.WaiveLoan) -> Response:
    """Forgive so much of what is due and unpaid of a part, or all there is of it."""
    return await _adjust(
        caller, "waive_loan", key, loan_id, body,
        lambda loan, on, seq: Waived(on, seq, read_amount(body.amount, loan.currency).minor, body.part),
    )  # fmt: skip


@router.post("/{loan_id}/reschedule", response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def reschedule_loan(
    caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.RescheduleLoan
) -> Response:
    """Spread all principal that is unpaid, due or not, anew; other amounts that are due stay due."""
    return await _adjust(
        caller, "reschedule_loan", key, loan_id, body,
        lambda _, on, seq: Rescheduled(on, seq, body.installments, body.first_due, body.rate_ppm),
    )  # fmt: skip


@router.post("/{loan_id}/charge-off", response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def charge_off_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.AdjustLoan) -> Response:
    """Take what is owed off the books; the borrower still owes it, and what comes is a recovery."""
    return await _adjust(caller, "charge_off_loan", key, loan_id, body, lambda _, on, seq: ChargedOff(on, seq))


@router.post("/{loan_id}/write-off", response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def write_off_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.AdjustLoan) -> Response:
    """Give up what is owed, for good."""
    return await _adjust(caller, "write_off_loan", key, loan_id, body, lambda _, on, seq: WrittenOff(on, seq))


@router.post("/{loan_id}/pause", response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def pause_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.AdjustLoan) -> Response:
    """Let days past due stand still and cost nothing; interest of the schedule goes on."""
    return await _adjust(caller, "pause_loan", key, loan_id, body, lambda _, on, seq: Paused(on, seq))


@router.post("/{loan_id}/resume", response_model=wire.Loan, responses=WRITE_PROBLEMS)
async def resume_loan(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.AdjustLoan) -> Response:
    """Let days past due go on from where they stood."""
    return await _adjust(caller, "resume_loan", key, loan_id, body, lambda _, on, seq: Resumed(on, seq))


@router.post("/{loan_id}/reverse", response_model=wire.Loan, responses=WRITE_PROBLEMS | PENDING)
async def reverse_repayment(
    caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.ReverseRepayment
) -> Response:
    """Take a repayment back: its money goes where it came from, and from its own day on it has not been."""
    ask = caller.ask("reverse_repayment", key, body, loan_id)
    return await move(caller, Moving(ask, read("loan", loan_id), Wish("reversed", repayment=body.repayment)))


@router.post("/{loan_id}/return", response_model=wire.Loan, responses=WRITE_PROBLEMS | PENDING)
async def return_credit(caller: CallerOf, key: IdempotencyKey, loan_id: IdPath, body: wire.ReturnCredit) -> Response:
    """Pay back what came and was not used."""
    ask = caller.ask("return_credit", key, body, loan_id)
    return await move(caller, Moving(ask, read("loan", loan_id), Wish("returned", body.account), amount=body.amount))


async def _adjust(caller: Caller, action: str, key: str, loan_id: str, body: wire.AdjustLoan, makes: Makes) -> Response:
    event_id = new_id()
    wanted = Adjustment(action, event_id, makes, body.on, body.reason)

    async def work(tx: Tx, actor: Actor) -> tuple[Loan, Happening]:
        return await adjust(tx, actor, read("loan", loan_id), wanted)

    ask = caller.ask(action, key, body, loan_id)
    reply = await caller.begin(ask, work, lambda loan: json_answer(show_loan(loan)), event_id)
    return caller.respond(reply, ask)
