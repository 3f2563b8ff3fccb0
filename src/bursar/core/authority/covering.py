"""Which mandate covers an agent: the one it names, or the one that is closest to it."""

from collections.abc import Sequence
from uuid import UUID

from bursar.core.authority.mandate import Mandate, chain_of
from bursar.core.authority.refusals import MandateMissing


def chain_for(agent_id: UUID, team: str | None, known: Sequence[Mandate], named: UUID | None) -> list[Mandate]:
    """The mandate named, or the one that is closest to the agent, with those above it; refuses where there is none.

    A pause only takes away: what is paused is chosen like what is active, and also before all that is wider, even if
    that is named. The rules refuse it then.
    """
    mine = [m for m in known if is_for(m, agent_id, team)]
    standing = [m for m in mine if m.status in ("active", "paused")]
    chosen = _closest(standing or mine) if named is None else _named(mine, named)
    closer = (chain_of(m, known) for m in standing if _distance(m) < _distance(chosen))
    paused = (chain for chain in closer if any(m.status == "paused" for m in chain))
    return next(paused, None) or chain_of(chosen, known)


def is_for(mandate: Mandate, agent_id: UUID, team: str | None) -> bool:
    """Whether a mandate was given to this agent, to its team, or to everybody."""
    if mandate.agent_id is not None:
        return mandate.agent_id == agent_id
    return mandate.team is None or mandate.team == team


def _named(mine: Sequence[Mandate], named: UUID) -> Mandate:
    for mandate in mine:
        if mandate.id == named:
            return mandate
    raise MandateMissing("You have no such mandate.")


def _closest(mine: Sequence[Mandate]) -> Mandate:
    nearest = min(map(_distance, mine), default=None)
    found = [m for m in mine if _distance(m) == nearest]
    if len(found) > 1:
        raise MandateMissing("More than one mandate of yours could cover this; name one as `mandate`.")
    if not found:
        raise MandateMissing("You have no mandate.")
    return found[0]


def _distance(mandate: Mandate) -> int:
    """From the agent: its own mandate, its team's, everybody's."""
    if mandate.agent_id is not None:
        return 0
    return 1 if mandate.team is not None else 2
