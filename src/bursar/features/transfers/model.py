"""A transfer as its callers see it: an entry and its posting, with account numbers in place of ids."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from bursar.core.ledger.model import Entry, Original, Posting
from bursar.core.ledger.outcomes import Done


class Transfer(NamedTuple):
    """An entry, its posting, and the numbers of its two accounts."""

    entry: Entry
    posting: Posting
    source: str
    target: str
    reversed_minor: int

    @classmethod
    def of_done(cls, done: Done) -> "Transfer":
        """The transfer an order just made. Nothing can have been reversed of it yet."""
        assert done.entry and done.target
        return cls(done.entry, done.postings[0], done.account.number, done.target.number, 0)

    @classmethod
    def of_original(cls, original: Original, numbers: Mapping[UUID, str]) -> "Transfer":
        """The transfer as read back."""
        posting = original.postings[0]
        source, target = numbers[posting.source_id], numbers[posting.target_id]
        return cls(original.entry, posting, source, target, original.reversed_minor)
