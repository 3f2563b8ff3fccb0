"""Which mandate covers an agent: the one it names, or the one that is closest to it."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.authority.mandate import Mandate, chain_of
from bursar.core.authority.refusals import MandateMissing


def chain_for(agent_id: UUID, team: str | None, known: Sequence[Mandate], named: UUID | None) -> list[Mandate]:
    """The mandate named, or the one that is closest to the agent, with those above it; refuses where there is none."""
    mine = [m for m in known if is_for(m, agent_id, team)]
    if named is not None:
        found = [m for m in mine if m.id == named]
        if not found:
            raise MandateMissing("You have no such mandate.")
        return chain_of(found[0], known)
    live = [m for m in mine if m.status == "active"] or mine
    for level in (_own, _of_team, _of_all):
        found = [m for m in live if level(m)]
        if len(found) > 1:
            raise MandateMissing("More than one mandate of yours could cover this; name one as `mandate`.")
        if found:
            return chain_of(found[0], known)
    raise MandateMissing("You have no mandate.")


def is_for(mandate: Mandate, agent_id: UUID, team: str | None) -> bool:
    """Whether a mandate was given to this agent, to its team, or to everybody."""
    if mandate.agent_id is not None:
        return mandate.agent_id == agent_id
    return mandate.team is None or mandate.team == team


def _own(mandate: Mandate) -> bool:
    return mandate.agent_id is not None


def _of_team(mandate: Mandate) -> bool:
    return mandate.team is not None


def _of_all(mandate: Mandate) -> bool:
    return mandate.agent_id is None and mandate.team is None
