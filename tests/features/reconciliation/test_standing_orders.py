"""Real standing orders against the bank's own lines: all agree; what is planted is found, and nothing else."""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from bursar.features.reconciliation.items import Break, Findings, Item, Rules, plain, plain_all, total
from bursar.features.reconciliation.lines import Statement
from bursar.features.reconciliation.matching import match
from bursar.features.reconciliation.planted import Planted, plant
from tests.features.reconciliation.standing_orders import SAMPLE, Payment, payments_of, statements_of

FOLDER = os.environ.get("BURSAR_BERKA")
RULES = Rules(counterparty_decides=True)


def compared(payments: Sequence[Payment], statements: Sequence[Statement]) -> dict[str, Findings]:
    """Each account's payments against the bank's lines of it."""
    ours: defaultdict[str, list[Item]] = defaultdict(list)
    for number, p in enumerate(payments):
        references = plain_all(f"order {p.order} {p.day}")
        ours[p.account].append(Item(f"p{number}", p.day, p.change_minor, references, plain(p.payee)))
    theirs = {
        s.account: [
            Item(f"l{n}", line.day, line.change_minor, plain_all(line.bank_reference), plain(line.counterparty))
            for n, line in enumerate(s.lines)
        ]
        for s in statements
    }
    return {
        a: match(ours[a], theirs.get(a, []), RULES, ("ledger", "bank")) for a in sorted(ours.keys() | theirs.keys())
    }


def told(account: str, found: Break) -> Planted:
    return Planted(found.kind, account, total(found.left), total(found.right))


def all_breaks(findings: dict[str, Findings]) -> Counter[Planted]:
    return Counter(told(account, b) for account, found in findings.items() for b in found.breaks)


def test_every_order_was_carried_out_and_nothing_else_was() -> None:
    statements = statements_of(SAMPLE / "berka.csv")
    payments = list(payments_of(SAMPLE / "orders.csv", statements))
    findings = compared(payments, statements)
    assert (len(payments), sum(len(f.matches) for f in findings.values())) == (78, 78)
    assert all_breaks(findings) == Counter()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_planted_in_the_sample_is_found_and_nothing_else(seed: int) -> None:
    statements = statements_of(SAMPLE / "berka.csv")
    payments = list(payments_of(SAMPLE / "orders.csv", statements))
    planting = plant(statements, seed, 2)
    assert len(planting.expected) == 10
    assert planting.harmless >= 4
    assert all_breaks(compared(payments, planting.statements)) == Counter(planting.expected)


@pytest.mark.soak
@pytest.mark.skipif(not FOLDER, reason="BURSAR_BERKA names no folder with the Berka data set")
@pytest.mark.parametrize("seed", range(10))
def test_what_is_planted_in_all_of_it_is_found_and_nothing_else(seed: int) -> None:
    statements = statements_of(Path(FOLDER or "") / "transactions_1993_1994.csv")
    payments = list(payments_of(Path(FOLDER or "") / "order.csv", statements))
    planting = plant(statements, seed, 60)
    assert (len(payments), len(planting.expected)) == (4_281, 300)
    assert planting.harmless > 120
    assert all_breaks(compared(payments, planting.statements)) == Counter(planting.expected)
