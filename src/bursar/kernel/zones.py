"""Time zones by their names in the IANA database."""

from functools import lru_cache
from zoneinfo import available_timezones

from bursar.kernel.refusal import InvalidArgument


def known_zone(name: str, at: str) -> str:
    """The name, if it is that of a zone; `at` is the argument that says it."""
    if name not in _zones():
        raise InvalidArgument(at, "is not a time zone of the IANA database, such as Europe/Prague")
    return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
