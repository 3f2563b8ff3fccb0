"""What is left of an agent's limits once it has paid, as its decision knows it: no question is asked."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.facts import Used
from bursar.core.authority.mandate import Mandate, Velocity, Window
from bursar.core.authority.periods import Span
from bursar.core.ledger.outcomes import Done


class Counter(NamedTuple):
    """One limit of a mandate, and where it stands."""

    mandate: Mandate
    key: str
    per_payee: bool
    limit: Window | Velocity
    span: Span


# A limit and what is used of it now.
Left: TypeAlias = tuple[Counter, Used]


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
