"""What a process remembers of what agents' requests are decided by: mandates, payees, what is used of limits.

Each fact has a guard that the writing checks: mandates and payees the version of the rulebook, what is used the turn
of its mandate. A guard is read before its facts; so what is remembered is never older than its guard says, and where it
is newer the guard no longer holds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from bursar.core.authority import turn_store
from bursar.core.authority.assessing import Assess, Question
from bursar.core.authority.covering import is_for
from bursar.core.authority.facts import Earlier, Limit, Meter, Used
from bursar.core.authority.facts_store import Counterparty, Known, list_mandates_for
from bursar.core.authority.mandate import Mandate, chain_of
from bursar.core.authority.sources import Agent
from bursar.core.authority.turn_store import Piece, Since
from bursar.kernel.db import Database, Tx, Unforeseen

_MOST_AGENTS = 10_000
_MOST_PAYEES = 100_000
_MOST_LIMITS = 100_000


class Unlearnt(Exception):
    """What has to be looked up before anything can be decided."""

    def __init__(self, limits: Sequence[Since], payees: Sequence[UUID]) -> None:
        """Limits with the moment since when their use counts, accounts to be paid."""
        super().__init__()
        self.limits = limits
        self.payees = payees


class Pieces:
    """What is used of a limit in each piece of time that still counts."""

    __slots__ = ("_moment", "_pieces", "_sum")

    def __init__(self, pieces: dict[datetime, Piece], moment: datetime) -> None:
        """As it was found, from the piece of this moment on."""
        self._pieces = pieces
        self._moment = moment
        self._sum = _sum(pieces)

    def since(self, moment: datetime) -> Used:
        """All of it from this piece on; `Unforeseen` for an earlier one than before: a clock was set back."""
        if moment < self._moment:
            raise Unforeseen
        if moment != self._moment:
            self._pieces = {bucket: piece for bucket, piece in self._pieces.items() if bucket >= moment}
            self._moment, self._sum = moment, _sum(self._pieces)
        return self._sum

    def use(self, bucket: datetime, more: Used) -> int:
        """Add to a piece; returns how often something of it was given back."""
        (amount, uses), (had, had_uses, given_back) = more, self._pieces.get(bucket, _NOTHING)
        self._pieces[bucket] = Piece(had + amount, had_uses + uses, given_back)
        self._sum = Used(self._sum.amount_minor + amount, self._sum.uses + uses)
        return given_back


_NOTHING = Piece(0, 0, 0)


def _sum(pieces: Mapping[datetime, Piece]) -> Used:
    return Used(sum(p.amount_minor for p in pieces.values()), sum(p.uses for p in pieces.values()))


class Rulebook:
    """One tenant's."""

    def __init__(self) -> None:
        """Nothing known."""
        self._version: int | None = None
        # Not when something was found changed: then the version is read again.
        self._stands = False
        self._is_scored = False
        self._mandates: dict[Agent, list[Mandate]] = {}
        self._payees: dict[UUID, Counterparty | None] = {}
        self._turns: dict[UUID, UUID] = {}
        # By mandate.
        self._used: dict[UUID, dict[Limit, Pieces]] = {}
        # By their fingerprints, payments that are on their way to be written.
        self._under_way: dict[UUID, Earlier] = {}

    @property
    def version(self) -> int:
        """The guard of mandates and payees."""
        assert self._version is not None
        return self._version

    def unknown(self, agents: Collection[Agent]) -> list[Agent]:
        """Those whose mandates have to be learnt first."""
        return [agent for agent in agents if not self._stands or not self._remembers(agent)]

    def _remembers(self, agent: Agent) -> bool:
        mine = self._mandates.get(agent)
        return mine is not None and all(mandate.id in self._turns for mandate in mine)

    def mandates(self, agents: Collection[Agent]) -> dict[UUID, Mandate]:
        """All that these act under, by their ids; `Unforeseen` where risk rules have to be asked."""
        if self._is_scored or self.unknown(agents):
            raise Unforeseen
        return {mandate.id: mandate for agent in agents for mandate in self._mandates[agent]}

    def turns(self, mandate_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The guards of what is used of these mandates; `Unforeseen` where one was forgotten meanwhile."""
        try:
            return {mandate_id: self._turns[mandate_id] for mandate_id in mandate_ids}
        except KeyError:
            raise Unforeseen from None

    def known(self, limits: Sequence[Since], payees: Sequence[UUID], fingerprints: Iterable[UUID]) -> Known:
        """What is remembered; not exact, because what people and the worker give back of limits is not told here."""
        used: dict[Limit, Used] = {}
        unknown: list[Since] = []
        for mandate_id, key, payee_id, since in limits:
            limit = mandate_id, key, payee_id
            of_mandate = self._used.get(mandate_id)
            pieces = of_mandate.get(limit) if of_mandate else None
            if pieces:
                used[limit] = pieces.since(since)
            else:
                unknown.append((*limit, since))
        strangers = [payee for payee in payees if payee not in self._payees]
        if unknown or strangers:
            raise Unlearnt(unknown, strangers)
        return Known(
            used,
            {payee: found for payee in payees if (found := self._payees[payee])},
            {each: self._under_way[each] for each in fingerprints if each in self._under_way},
            exact=False,
        )

    def turn(self, turn: UUID, mandate_ids: Iterable[UUID], payments: Mapping[UUID, Earlier]) -> None:
        """Count on what was decided, and on these payments, by their fingerprints."""
        self._turns |= dict.fromkeys(mandate_ids, turn)
        self._under_way |= payments

    def use(self, more: Mapping[Meter, Used]) -> dict[Meter, int]:
        """Count on this being used; returns how often something of each was given back."""
        return {meter: self._used[meter.mandate_id][meter[:3]].use(meter.bucket, used) for meter, used in more.items()}

    def arrived(self, payments: Iterable[UUID]) -> None:
        """These are written, or never will be."""
        for fingerprint in payments:
            self._under_way.pop(fingerprint, None)

    def forget(self, mandate_ids: Collection[UUID]) -> None:
        """Others have decided under these, or something was changed."""
        self._stands = False
        for mandate_id in mandate_ids:
            self._turns.pop(mandate_id, None)
            self._used.pop(mandate_id, None)

    async def learn_mandates(self, tx: Tx, agents: Collection[Agent], assess: Assess) -> None:
        """Look up what these agents act under; `Unforeseen` where nobody was ever given anything."""
        version = await turn_store.find_rulebook(tx)
        if version is None:
            raise Unforeseen
        is_scored = await _is_scored(tx, assess)
        found = await list_mandates_for(tx, agents)
        turns = await turn_store.list_turns(tx, [mandate.id for mandate in found])
        if version != self._version or len(self._mandates) > _MOST_AGENTS:
            self._mandates, self._payees = {}, {}
        self._version, self._stands, self._is_scored = version, True, is_scored
        self._mandates |= {agent: _of(agent, found) for agent in agents}
        for mandate_id in turns.keys() - self._turns.keys():  # What was decided meanwhile is newer.
            self._turns[mandate_id], self._used[mandate_id] = turns[mandate_id], {}

    async def learn(self, database: Database, tenant_id: UUID, unlearnt: Unlearnt) -> None:
        """Look up what is used, and who payees are.

        What is used of a limit that is not remembered stands under the turn that is: this process has not touched the
        limit since, or would remember, and where another has, that turn never comes back. What was forgotten
        meanwhile, or began anew, does not get it.
        """
        if len(self._payees) > _MOST_PAYEES:
            self._payees = {}
        if sum(map(len, self._used.values())) > _MOST_LIMITS:
            self.forget(list(self._used))
        payees, used = self._payees, {limit: self._used.get(limit[0], {}) for limit in unlearnt.limits}
        pieces, found = await turn_store.look_up(database, tenant_id, unlearnt.limits, unlearnt.payees)
        for payee in unlearnt.payees:
            payees[payee] = found.get(payee)
        for limit, of_mandate in used.items():
            of_mandate.setdefault(limit[:3], Pieces(pieces.get(limit, {}), limit[3]))


def _of(agent: Agent, found: Sequence[Mandate]) -> list[Mandate]:
    """Those of one agent, with those above them."""
    mine = {above.id: above for m in found if is_for(m, *agent) for above in chain_of(m, found)}
    return list(mine.values())


async def _is_scored(tx: Tx, assess: Assess) -> bool:
    """Whether there are risk rules; they are not asked."""

    def ask() -> Sequence[Question]:
        raise Unforeseen

    try:
        return await assess(tx, ask) is not None
    except Unforeseen:
        return True
