"""Where a payment stands after what was reported of it: pure, and the same in whatever order the reports come."""

from typing import NamedTuple

from bursar.features.payments.model import PaymentStatus
from bursar.features.payments.ports import Standing

# Reports of one attempt only ever lead up. Where two ends contradict each other, the one with the money in it wins.
_RANK: dict[Standing, int] = {
    "requires_confirmation": 0,
    "requires_action": 1,
    "processing": 2,
    "requires_capture": 3,
    "failed": 4,
    "canceled": 5,
    "succeeded": 6,
}
_OVER = 4


class Place(NamedTuple):
    """Where a payment stands: its status, which attempt it is at, and how far that has come."""

    status: PaymentStatus
    attempt: int
    rank: int

    @property
    def is_over(self) -> bool:
        """Whether the attempt has come to an end, good or bad."""
        return self.rank >= _OVER


def begun(place: Place) -> Place:
    """A new attempt: what earlier ones reported is of no account any more."""
    return Place("processing", place.attempt + 1, 0)


def reported(place: Place, attempt: int, standing: Standing) -> Place:
    """What a report of an attempt makes of it: what is older, of an earlier attempt or not as far, changes nothing."""
    rank = _RANK[standing]
    if attempt < place.attempt or rank < place.rank:
        return place
    return Place(standing, place.attempt, rank)


def lost(place: Place, attempt: int) -> Place:
    """Nobody knows what became of the charge; what the provider has said of it since stands."""
    if attempt < place.attempt or place.rank >= _RANK["requires_capture"]:
        return place
    return place._replace(status="unknown")


def ended(place: Place, attempt: int) -> Place:
    """It was given up before anything was sent: an approval was refused, or has expired."""
    return reported(place, attempt, "canceled")
