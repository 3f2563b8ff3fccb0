"""A transfer between two accounts that live upstream, as the quickstart asks for it and is told of it."""

from collections.abc import Callable

from starlette.responses import Response

from bursar.api.door import Caller, json_answer
from bursar.api.paying import now_of, order
from bursar.api.problems import answer_of
from bursar.api.quickstart.amounts import quick_status
from bursar.core.authority.model import Ask
from bursar.core.idempotency.model import Answer
from bursar.core.identity.model import Actor
from bursar.features.payments.model import OPEN, Attempt, Payment
from bursar.features.payments.transferring import Transferring, both_upstream
from bursar.features.payments.upstream import UpstreamUndecided, refusal_of
from bursar.features.transfers.service import Wish
from bursar.kernel.ids import show
from bursar.wire import quickstart as wire


async def goes_upstream(caller: Caller, wish: Wish) -> tuple[str, str] | None:
    """The numbers of both accounts, if their money lives upstream: seen ahead, and looked at again where it counts."""
    async with caller.looking_ahead() as tx:
        return await both_upstream(tx, wish.source, wish.target)


async def transfer_upstream(
    caller: Caller, ask: Ask, wish: Wish, refuse: Callable[[Actor], None], numbers: tuple[str, str]
) -> Response:
    """Have it decided and written down, made upstream, and booked; answer with what came of it."""
    connected = caller.door.providers.upstream_of(ask.credential.tenant_id) is not None
    intent = Transferring(
        ask, now_of(caller), source=wish.source, target=wish.target, amount=str(wish.money), connected=connected,
        refuse=refuse,
    )  # fmt: skip

    def shown(_: Payment | None, attempt: Attempt) -> Answer:
        if attempt.status == "succeeded":
            return json_answer(_made(attempt, *numbers))
        # As long as it is under way nobody says no.
        refusal = UpstreamUndecided() if attempt.status in OPEN else refusal_of(attempt.failure)
        return answer_of(refusal, caller.request_id, quick_status(refusal))

    return await order(caller, intent, shown, quick_status)


def _made(attempt: Attempt, source: str, target: str) -> wire.AgentTransferAnswer:
    assert attempt.ended_at
    made = wire.AgentTransferMade(
        transfer_id=show("tr", attempt.id), status="posted", source_account=source, target_account=target,
        amount=str(attempt.money), currency=attempt.currency, created_at=attempt.ended_at,
    )  # fmt: skip
    return wire.AgentTransferAnswer(ok=True, transfer=made)
