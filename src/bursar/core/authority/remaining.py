"""What is left of an agent's limits once it has paid, from what its decision already knows: no question is asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.facts import NOTHING_USED, VELOCITY, Facts, Meter, Used
from bursar.core.authority.mandate import Mandate, Velocity, Window
from bursar.core.authority.periods import span_of, span_of_velocity
from bursar.core.ledger.outcomes import Done


class Left(NamedTuple):
    """One limit of a mandate and what is used of it now."""

    mandate: Mandate
    limit: Window | Velocity
    used: Used
    resets_at: datetime | None


class Authorised(NamedTuple):
    """What let an agent's order go, by its event, and what that leaves of every limit that it used."""

    decision_id: UUID
    mandate: Mandate
    left: Sequence[Left]


class AuthorisedDone(Done):
    """What an order did, with what let it go."""

    authorised: Authorised


def with_authorised(done: Done, authorised: Authorised | None) -> Done:
    """The same outcome, which knows what let it go if anything had to."""
    if authorised is None:
        return done
    made = AuthorisedDone(*done)
    made.authorised = authorised
    return made


def authorised_of(done: Done) -> Authorised | None:
    """What let it go; None where nobody is limited."""
    return done.authorised if isinstance(done, AuthorisedDone) else None


def left_of(facts: Facts, meters: Sequence[Meter], minor: int) -> list[Left]:
    """What is left of the limits that a payment of so many minor units used, itself included."""
    by_id = {mandate.id: mandate for mandate in facts.chain}
    return [_left(facts, by_id[meter.mandate_id], meter, minor) for meter in meters]


def _left(facts: Facts, mandate: Mandate, meter: Meter, minor: int) -> Left:
    before = facts.used.get((meter.mandate_id, meter.window_key, meter.payee_id), NOTHING_USED)
    used = Used(before.amount_minor + minor, before.uses + 1)
    terms = mandate.terms
    if meter.window_key == VELOCITY:
        assert terms.velocity
        return Left(mandate, terms.velocity, used, span_of_velocity(terms.velocity, facts.now).resets_at)
    window = next(window for window in terms.windows if window.key == meter.window_key)
    return Left(mandate, window, used, span_of(window, facts.now).resets_at)
