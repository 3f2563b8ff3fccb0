"""Looking before leaping: what would become of an order now, and what is left of an agent's limits."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority import facts_store
from bursar.core.authority.assessing import Assess
from bursar.core.authority.cases import Asked
from bursar.core.authority.covering import chain_for
from bursar.core.authority.examine import Examination
from bursar.core.authority.facts import ANY_PAYEE, NOTHING_USED, VELOCITY, Result, Used
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.periods import span_of, span_of_velocity
from bursar.core.authority.refusals import MandateMissing
from bursar.core.authority.remaining import Left
from bursar.core.authority.sources import UNDER_LOCKS
from bursar.core.identity.model import Actor, Principal
from bursar.core.ledger import reading
from bursar.core.ledger import service as ledger
from bursar.core.ledger.orders import SingleOrder
from bursar.core.ledger.outcomes import Outcome
from bursar.kernel.db import Tx


class Checked(NamedTuple):
    """What an order would come to, and what each rule said."""

    outcome: Outcome
    results: Sequence[Result]


async def check(tx: Tx, agent: Actor | None, action: str, order: SingleOrder, assess: Assess) -> Checked:
    """Decide an order as it would be decided now, under the same locks, and write nothing; None: nobody limits it."""
    if agent is None:
        return Checked(await ledger.rehearse(tx, order, ledger.unexamined), ())
    mandates = await UNDER_LOCKS.mandates(tx, [(agent.principal_id, agent.team)])
    examination = Examination(tx, {order.event_id: Asked(agent, action, order)}, mandates, assess, UNDER_LOCKS)
    outcome = await ledger.rehearse(tx, order, examination.open)
    return Checked(outcome, examination.verdict(order).results)


async def overview(tx: Tx, agent: Principal) -> tuple[list[Mandate], list[Left]]:
    """The mandates an agent acts under, the narrowest first, and what is used of their limits for all payees."""
    known = await facts_store.list_mandates_for(tx, [(agent.id, agent.team)])
    try:
        chain = chain_for(agent.id, agent.team, known, None)
    except MandateMissing:
        return [], []
    now = await reading.clock(tx)
    limits = [(m, window) for m in chain for window in m.terms.windows if not window.per_payee]
    wanted = [(m.id, w.key, ANY_PAYEE, span_of(w, now).since) for m, w in limits]
    velocities = [(m, m.terms.velocity) for m in chain if m.terms.velocity]
    wanted += [(m.id, VELOCITY, ANY_PAYEE, span_of_velocity(v, now).since) for m, v in velocities]
    used = (await facts_store.look_up(tx, wanted)).used

    def of(mandate_id: UUID, key: str) -> Used:
        return used.get((mandate_id, key, ANY_PAYEE), NOTHING_USED)

    left = [Left(m, w, of(m.id, w.key), span_of(w, now).resets_at) for m, w in limits]
    return chain, left + [Left(m, v, of(m.id, VELOCITY), span_of_velocity(v, now).resets_at) for m, v in velocities]
