"""Which accounts a loan moves: every change of a loan is one of these arrows, so its sub-ledger is the general ledger.

A state counts what has gone along each arrow so far. What is to be posted is the difference of two states, and an
account's balance is the sum of its arrows; nothing else says what a loan has on an account.
"""

from typing import Literal, NamedTuple, TypeAlias

# Assets are principal, interest, fees, penalties (what the borrower owes) and funding, the account money comes and
# goes by; `credit` is what we owe the borrower, `allowance` what is set aside for losses.
Account: TypeAlias = Literal[
    "funding", "principal", "interest", "fees", "penalties", "credit", "allowance",
    "interest_income", "fee_income", "penalty_income", "recovery_income", "provision_expense",
]  # fmt: skip


class Flows(NamedTuple):
    """Minor units that have gone along each arrow since the loan began."""

    disbursed: int = 0
    disbursement_fee: int = 0
    accrued: int = 0
    fee_charged: int = 0
    penalty_charged: int = 0
    received: int = 0
    returned: int = 0
    overdrawn: int = 0
    paid_penalty: int = 0
    paid_fee: int = 0
    paid_interest: int = 0
    paid_principal: int = 0
    waived_penalty: int = 0
    waived_fee: int = 0
    waived_interest: int = 0
    lost_penalty: int = 0
    lost_fee: int = 0
    lost_interest: int = 0
    lost_principal: int = 0
    provisioned: int = 0
    recovered: int = 0

    @property
    def credit(self) -> int:
        """What came and was not used."""
        paid = self.paid_penalty + self.paid_fee + self.paid_interest + self.paid_principal
        return self.received + self.overdrawn - self.returned - paid - self.recovered

    @property
    def principal(self) -> int:
        """The principal on the books."""
        return self.disbursed + self.disbursement_fee + self.overdrawn - self.paid_principal - self.lost_principal

    @property
    def interest(self) -> int:
        """The interest on the books, due or not."""
        return self.accrued - self.paid_interest - self.waived_interest - self.lost_interest

    @property
    def fees(self) -> int:
        """The fees on the books."""
        return self.fee_charged - self.paid_fee - self.waived_fee - self.lost_fee

    @property
    def penalties(self) -> int:
        """The penalties on the books."""
        return self.penalty_charged - self.paid_penalty - self.waived_penalty - self.lost_penalty

    @property
    def lost(self) -> int:
        """All that was charged or written off."""
        return self.lost_penalty + self.lost_fee + self.lost_interest + self.lost_principal

    def plus(self, **more: int) -> "Flows":
        """The same with so much more on the arrows that are named."""
        return self._replace(**{name: getattr(self, name) + minor for name, minor in more.items()})


# From the account that is debited to the one that is credited.
ARROWS: dict[str, tuple[Account, Account]] = {
    "disbursed": ("principal", "funding"),
    "disbursement_fee": ("principal", "fee_income"),
    "accrued": ("interest", "interest_income"),
    "fee_charged": ("fees", "fee_income"),
    "penalty_charged": ("penalties", "penalty_income"),
    "received": ("funding", "credit"),
    "returned": ("credit", "funding"),
    # More was returned than there was, once a repayment is reversed: it is owed like what was lent.
    "overdrawn": ("principal", "credit"),
    "paid_penalty": ("credit", "penalties"),
    "paid_fee": ("credit", "fees"),
    "paid_interest": ("credit", "interest"),
    "paid_principal": ("credit", "principal"),
    "waived_penalty": ("penalty_income", "penalties"),
    "waived_fee": ("fee_income", "fees"),
    "waived_interest": ("interest_income", "interest"),
    "lost_penalty": ("allowance", "penalties"),
    "lost_fee": ("allowance", "fees"),
    "lost_interest": ("allowance", "interest"),
    "lost_principal": ("allowance", "principal"),
    "provisioned": ("provision_expense", "allowance"),
    "recovered": ("credit", "recovery_income"),
}


class Movement(NamedTuple):
    """So many minor units, above 0, debited to `source` and credited to `target`."""

    source: Account
    target: Account
    minor: int


def postings_of(before: Flows, after: Flows) -> list[Movement]:
    """What is to be posted for a loan to come from one state to another; an arrow that shrank is posted backwards."""
    if before == after:
        return []
    found: list[Movement] = []
    for was, now, (source, target) in zip(before, after, ARROWS.values(), strict=True):
        if now > was:
            found.append(Movement(source, target, now - was))
        elif now < was:
            found.append(Movement(target, source, was - now))
    return found


def balances_of(flows: Flows) -> dict[Account, int]:
    """What a loan has on each account, debits less credits."""
    balances: dict[Account, int] = {}
    for minor, (source, target) in zip(flows, ARROWS.values(), strict=True):
        balances[source] = balances.get(source, 0) + minor
        balances[target] = balances.get(target, 0) - minor
    return balances
