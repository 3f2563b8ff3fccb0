"""Differences to plant in a bank's lines, drawn from a seed: those that must be found, and those that are none."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from bursar.features.reconciliation.items import BreakKind
from bursar.features.reconciliation.lines import Statement, StatementLine

# A day or two later is how banks are; a week later is a difference.
_LATE_BUT_FINE, _TOO_LATE = (1, 3), (6, 12)


class Planted(NamedTuple):
    """A break that a comparison must find: of which kind, on which account, and the amounts that tell it apart."""

    kind: BreakKind
    account: str
    ledger_minor: int
    bank_minor: int


class Planting(NamedTuple):
    """The bank's statements with differences in them, what must be found, and how many changes are none."""

    statements: Sequence[Statement]
    expected: Sequence[Planted]
    harmless: int


def plant(statements: Sequence[Statement], seed: int, each: int) -> Planting:
    """Plant `each` of every kind at places drawn from the seed, no two about one counterparty of an account.

    The ledger has what the statements were before.
    """
    return _Planter(statements, seed).plant(each)


class _Planter:
    def __init__(self, statements: Sequence[Statement], seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 -- a seed is what is wanted
        self._statements = statements
        self._lines = {s.account: list(s.lines) for s in statements}
        self._expected: list[Planted] = []
        self._harmless = 0
        self._touched: set[tuple[str, object]] = set()

    def plant(self, each: int) -> Planting:
        places = self._places()
        for plant_one in (self._lose, self._invent, self._change, self._delay, self._repeat, self._split, self._shift):
            for _ in range(each):
                account, line = next(places)
                plant_one(account, line)
        self._merge(each)
        changed = [
            replace(s, lines=sorted(self._lines[s.account], key=lambda line: (line.day, line.place)))
            for s in self._statements
        ]
        return Planting(changed, self._expected, self._harmless)

    def _places(self) -> Iterator[tuple[str, StatementLine]]:
        """One line of each counterparty of each account, in an order that the seed decides."""
        of_payee: defaultdict[tuple[str, str], list[StatementLine]] = defaultdict(list)
        for account, lines in sorted(self._lines.items()):
            for line in lines:
                of_payee[account, line.counterparty or ""].append(line)
        chosen = [(account, self._dice.choice(lines)) for (account, _), lines in sorted(of_payee.items())]
        self._dice.shuffle(chosen)
        yield from chosen

    def _expect(self, kind: BreakKind, account: str, ledger_minor: int, bank_minor: int) -> None:
        self._expected.append(Planted(kind, account, ledger_minor, bank_minor))

    def _put(self, account: str, old: StatementLine | None, *new: StatementLine) -> None:
        if old is not None:
            self._lines[account].remove(old)
        self._touched.update((account, line.day) for line in (*new, *((old,) if old else ())))
        self._lines[account].extend(new)

    def _lose(self, account: str, line: StatementLine) -> None:
        self._put(account, line)
        self._expect("missing_at_bank", account, line.change_minor, 0)

    def _invent(self, account: str, line: StatementLine) -> None:
        minor = line.change_minor - self._dice.randint(1, 99)
        made = line._replace(counterparty=f"XX {self._dice.randrange(10**8):08}", change_minor=minor)
        self._put(account, None, made._replace(bank_reference=f"9{line.bank_reference}"))
        self._expect("missing_in_ledger", account, 0, minor)

    def _change(self, account: str, line: StatementLine) -> None:
        minor = line.change_minor + self._dice.choice((-1, 1)) * self._dice.randint(1, 99)
        self._put(account, line, line._replace(change_minor=minor))
        self._expect("amount_differs", account, line.change_minor, minor)

    def _delay(self, account: str, line: StatementLine) -> None:
        later = line.day + timedelta(days=self._dice.randint(*_TOO_LATE))
        self._put(account, line, line._replace(day=later))
        self._expect("date_differs", account, line.change_minor, line.change_minor)

    def _repeat(self, account: str, line: StatementLine) -> None:
        self._put(account, line, line, line)
        self._expect("duplicate", account, 0, line.change_minor)

    def _split(self, account: str, line: StatementLine) -> None:
        part = line.change_minor // 3
        first, second = line._replace(change_minor=part), line._replace(change_minor=line.change_minor - part)
        self._put(account, line, first, second._replace(bank_reference=f"8{line.bank_reference}"))
        self._harmless += 1

    def _shift(self, account: str, line: StatementLine) -> None:
        later = line.day + timedelta(days=self._dice.randint(*_LATE_BUT_FINE))
        self._put(account, line, line._replace(day=later))
        self._harmless += 1

    def _merge(self, most: int) -> None:
        """Two payments of a day as one line that names nobody, where nothing else was planted on that day."""
        days: defaultdict[tuple[str, object], list[StatementLine]] = defaultdict(list)
        for account, lines in sorted(self._lines.items()):
            for line in lines:
                days[account, line.day].append(line)
        free = [(key[0], lines) for key, lines in days.items() if len(lines) == 2 and key not in self._touched]
        for account, (one, other) in self._dice.sample(free, min(most, len(free))):
            both = one.change_minor + other.change_minor
            self._put(account, one, one._replace(change_minor=both, counterparty=None))
            self._put(account, other)
            self._harmless += 1
