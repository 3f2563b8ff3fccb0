"""Every applicant of a real bank is decided by an agent through the service: by the score, with reasons, for good.

The statements are of the Berka data set; what became of the loans is only looked at afterwards.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bursar.features.lending.mapping import Mapping
from bursar.features.lending.scorecard import find_card
from bursar.features.lending.scoring_files import score_file
from bursar.features.lending.statements import Loan, before, read_loans, read_statements
from bursar.features.lending.summary import Movement
from bursar.kernel.money import show_minor
from tests.features.lending.applying import Lender
from tests.features.lending.banking import BERKA, LOANS, SAMPLE

REAL = Path(os.environ.get("BURSAR_BERKA", "/nowhere"))
DECISIONS = {"approve": "approved", "review": "review", "reject": "rejected"}
SAYS = {"approve": "pass", "review": "review", "reject": "reject"}


def _line(moved: Movement) -> dict[str, Any]:
    shown = {"change": moved.change_minor, "balance": moved.balance_minor}
    line = {name: show_minor(minor, "CZK") for name, minor in shown.items() if minor is not None}
    return {"day": moved.day.isoformat(), "kind": moved.kind, **line}


async def _product(lender: Lender) -> str:
    account = {"number": "koruny", "name": "Loans to pay out", "currency": "CZK"}
    await lender.ok("operator", "/accounts", account)
    await lender.ok("operator", "/scorecards", find_card(None).model_dump())
    await lender.ok("operator", "/scorecards/berka-1/activate")
    return await lender.product(account="koruny", currency="CZK", max_amount="1000000", policy={"scorecard": "berka-1"})


async def _decided(lender: Lender, product: str, account: str, known: list[Movement]) -> dict[str, Any]:
    """The decision that Ann makes as the rules say: she first tries to approve."""
    wish = {"amount": "60000", "currency": "CZK", "email": f"account-{account}@example.com"}
    found = await lender.submitted("ann", product, **wish)
    body = {"version": 2, "origin": "stated", "lines": [_line(moved) for moved in known]}
    sent = await lender.ok("ann", f"/applications/{found['id']}/statements", body)
    tried = await lender.decide("ann", sent, "approved")
    if tried.status_code == 200:
        return tried.json()["decisions"][0]
    assert tried.json()["code"] == "policy_refused"
    outcome = "rejected" if "proposes to reject" in tried.json()["detail"] else "review"
    answer = await lender.decide("ann", sent, outcome)
    assert answer.status_code == 200, answer.text
    return answer.json()["decisions"][0]


async def _decide_all(
    lender: Lender, statements: Path, loans: Path, mapping: Mapping
) -> tuple[Counter[str], Counter[str]]:
    """How many were decided so, and how many of these loans went bad."""
    product, granted = await _product(lender), read_loans(loans, mapping)
    decided, bad = Counter[str](), Counter[str]()
    for account, statement in read_statements(statements, mapping).items():
        loan: Loan | None = granted.get(account)
        decision = await _decided(lender, product, account, [*(before(statement, loan.day) if loan else ())])
        score = decision["score"]
        assert decision["outcome"] == DECISIONS[score["proposal"]]
        assert decision["policy"] == SAYS[score["proposal"]]
        assert score["reasons"]
        assert bool(decision["adverse_reasons"]) == (decision["outcome"] == "rejected")
        decided[decision["outcome"]] += 1
        bad[decision["outcome"]] += bool(loan and loan.is_bad)
    return decided, bad


async def test_applicants_of_a_real_bank_are_decided_with_reasons(lender: Lender) -> None:
    decided, _ = await _decide_all(lender, SAMPLE, LOANS, BERKA)
    proposed = Counter(DECISIONS[one.score.proposal] for one in score_file(SAMPLE, BERKA, find_card(None)))
    assert decided == proposed


@pytest.mark.soak
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the data set in BURSAR_BERKA")
async def test_all_235_applicants_are_decided_with_reasons(lender: Lender) -> None:
    decided, bad = await _decide_all(lender, REAL / "loan_applicant_transactions.csv", REAL / "loan.csv", BERKA)
    for outcome, number in decided.items():
        # Shown by -s: the figures of the guide.
        print(f"{outcome}: {number} of {decided.total()}, {bad[outcome]} bad, {bad[outcome] / number:.1%}")  # noqa: T201
    assert decided.total() == 235
    # The bank lost money on 20 of them: who is approved goes bad far less often than who is not.
    assert bad.total() == 20
    assert bad["approved"] / decided["approved"] < 0.05 < bad["rejected"] / decided["rejected"]
