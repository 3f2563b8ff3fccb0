"""Looking before leaping: what would become of an order now, and what is left of an agent's limits."""

from collections.abc import Sequence
from typing import NamedTuple

from bursar.core.authority import facts_store
from bursar.core.authority.assessing import Assess
from bursar.core.authority.cases import Asked
from bursar.core.authority.counting import counters_of
from bursar.core.authority.covering import chain_for
from bursar.core.authority.examine import Examination
from bursar.core.authority.facts import ANY_PAYEE, NOTHING_USED, VELOCITY, Result
from bursar.core.authority.mandate import Mandate
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
    counters = [counter for mandate in chain for counter in counters_of(mandate, now) if not counter.per_payee]
    counters.sort(key=lambda counter: counter.key == VELOCITY)
    wanted = [(counter.mandate.id, counter.key, ANY_PAYEE, counter.span.since) for counter in counters]
    used = (await facts_store.look_up(tx, wanted)).used
    return chain, [(c, used.get((c.mandate.id, c.key, ANY_PAYEE), NOTHING_USED)) for c in counters]
