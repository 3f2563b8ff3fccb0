"""What a mandate's rules say to a payment: a pure function over locked facts, to decide, to check and to back-test.

The order is fail-closed, every rule is asked and all reasons are kept; deny goes before needs_approval before allow.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bursar.core.authority.facts import (
    ANY_PAYEE,
    NOTHING_USED,
    VELOCITY,
    Facts,
    Heard,
    Limit,
    Needs,
    Payee,
    Payment,
    Result,
    Risk,
    Used,
    Verdict,
)
from bursar.core.authority.mandate import (
    DAYS,
    DEFAULT_TTL_SECONDS,
    ApprovalRule,
    Mandate,
    Terms,
    Trigger,
    Window,
)
from bursar.core.authority.periods import Span, local_at, span_of, span_of_velocity
from bursar.core.authority.refusals import (
    CurrencyNotMandated,
    LimitExceeded,
    MandateExpired,
    MandateMissing,
    MandateNotBegun,
    MandateRevoked,
    OutsideTimeWindow,
    PayeeNotAllowed,
    PossibleDuplicate,
    RiskTooHigh,
    UnknownCounterparty,
    VelocityExceeded,
    moment,
)
from bursar.kernel.money import Money, show_minor
from bursar.kernel.refusal import Refusal

# What the risk rules ask for when they ask for a step-up.
_STEP_UP = ApprovalRule(Trigger({}), None, 1, DEFAULT_TTL_SECONDS, step_up=True)


class _Asked:
    """Collects what the rules say; those of the mandate being asked into `silent` and `spoken`."""

    __slots__ = ("after", "heard", "needs", "refusals", "silent", "spoken")

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.refusals: list[Refusal] = []
        self.needs: list[tuple[ApprovalRule | None, str]] = []
        self.after: dict[Limit, Used] = {}
        self.silent: list[str] = []
        self.spoken: list[Result] = []

    def begin(self, mandate: Mandate) -> None:
        self.silent, self.spoken = [], []
        self.heard.append(Heard(mandate.id, self.silent, self.spoken))

    def deny(self, mandate: Mandate, rule: str, refusal: Refusal) -> None:
        self.refusals.append(refusal)
        self.spoken.append(Result(mandate.id, rule, "deny", refusal.detail))

    def approve(self, mandate: Mandate, rule: str, approval: ApprovalRule | None, fact: str) -> None:
        self.needs.append((approval, fact))
        self.spoken.append(Result(mandate.id, rule, "needs_approval", fact))


def evaluate(facts: Facts, payment: Payment) -> Verdict:
    """Ask every rule of every mandate of the chain, and then the tenant's risk rules."""
    asked = _Asked()
    if not facts.chain:
        asked.refusals.append(MandateMissing("There is no mandate to act under."))
    for mandate in facts.chain:
        asked.begin(mandate)
        _ask(asked, facts, mandate, payment)
    if facts.risk is not None and facts.chain:
        asked.spoken = asked.heard[0].spoken
        _ask_risk(asked, facts.chain[0], facts.risk)
    if asked.refusals:
        return Verdict("deny", tuple(asked.heard), tuple(asked.refusals), None, {})
    needs = _needs(asked.needs)
    return Verdict("needs_approval" if needs else "allow", tuple(asked.heard), (), needs, asked.after)


def _ask(asked: _Asked, facts: Facts, mandate: Mandate, payment: Payment) -> None:
    terms = mandate.terms
    _ask_status(asked, facts.now, mandate)
    _ask_scope(asked, mandate, terms, payment)
    _ask_payee(asked, facts.now, mandate, terms, payment.payee)
    whole = payment.asks == "everything"
    if whole:
        _ask_cap(asked, mandate, terms, payment.money)
    _ask_hours(asked, facts.now, mandate, terms)
    _ask_windows(asked, facts, mandate, terms.windows, payment)
    if whole:
        _ask_velocity(asked, facts, mandate, terms, payment.money)
        _ask_duplicate(asked, facts, mandate, terms, payment)
    for rule in terms.approvals:
        _ask_approval(asked, facts, mandate, rule, payment)


def _ask_status(asked: _Asked, now: datetime, mandate: Mandate) -> None:
    if mandate.status != "active":
        asked.deny(mandate, "status", MandateRevoked(mandate.name, mandate.status))
    elif mandate.expires_at is not None and now >= mandate.expires_at:
        asked.deny(mandate, "status", MandateExpired(mandate.name, mandate.expires_at))
    elif mandate.not_before is not None and now < mandate.not_before:
        asked.deny(mandate, "status", MandateNotBegun(mandate.name, mandate.not_before))
    else:
        asked.silent.append("status")


def _ask_scope(asked: _Asked, mandate: Mandate, terms: Terms, payment: Payment) -> None:
    if payment.action not in terms.actions:
        asked.deny(mandate, "action", MandateMissing(f"The mandate {mandate.name} does not cover {payment.action}."))
    if terms.accounts is not None and payment.source not in terms.accounts:
        asked.deny(mandate, "account", MandateMissing(f"The mandate {mandate.name} does not cover {payment.source}."))
    if payment.rail not in terms.rails:
        asked.deny(mandate, "rail", MandateMissing(f"The mandate {mandate.name} does not cover {payment.rail}."))


def _ask_payee(asked: _Asked, now: datetime, mandate: Mandate, terms: Terms, payee: Payee | None) -> None:
    rule = "counterparty"
    if payee is None:  # A hold that names nobody yet; its capture will.
        return
    if payee.status == "blocked":
        asked.deny(mandate, rule, PayeeNotAllowed(f"{payee.number} is a blocked counterparty."))
    elif terms.payees.mode == "any":
        asked.silent.append(rule)
    elif payee.counterparty_id is None or payee.known_since is None:
        asked.deny(mandate, rule, UnknownCounterparty(payee.number))
    elif terms.payees.mode == "allow_list" and payee.counterparty_id not in terms.payees.allow:
        asked.deny(mandate, rule, PayeeNotAllowed(f"{payee.number} is not on the list of the mandate {mandate.name}."))
    elif now < (until := payee.known_since + terms.payees.cool_off):
        fact = f"{payee.number} is a new counterparty; the mandate {mandate.name} pays it from {moment(until)} on."
        asked.deny(mandate, rule, PayeeNotAllowed(fact))
    else:
        asked.silent.append(rule)


def _ask_cap(asked: _Asked, mandate: Mandate, terms: Terms, money: Money) -> None:
    rule = "per_transaction"
    if terms.caps is None:
        # A mandate that limits dollars has not thought of yen.
        named = {window.currency for window in terms.windows if window.currency}
        if named and money.currency not in named:
            asked.deny(mandate, rule, CurrencyNotMandated(money.currency, sorted(named)))
        return
    cap = terms.caps.get(money.currency)
    if cap is None:
        asked.deny(mandate, rule, CurrencyNotMandated(money.currency, sorted(terms.caps)))
    elif money.minor > cap.max_minor:
        most = show_minor(cap.max_minor, money.currency)
        fact = f"One payment may be at most {most} {money.currency}; you asked {money}."
        asked.deny(mandate, rule, LimitExceeded(fact))
    elif money.minor > cap.auto_max_minor:
        alone = show_minor(cap.auto_max_minor, money.currency)
        asked.approve(mandate, rule, None, f"{money} {money.currency} is above {alone}, what the agent may pay alone.")
    else:
        asked.silent.append(rule)


def _ask_hours(asked: _Asked, now: datetime, mandate: Mandate, terms: Terms) -> None:
    hours = terms.hours
    if hours is None:
        return
    today, at = local_at(now, hours.time_zone)
    if today in hours.days and hours.start <= at < hours.end:
        asked.silent.append("hours")
        return
    days = ", ".join(day for day in DAYS if day in hours.days)
    fact = (
        f"The mandate {mandate.name} pays {days} from {hours.start:%H:%M} to {hours.end:%H:%M} {hours.time_zone};"
        f" there it is {today} {at:%H:%M}."
    )
    asked.deny(mandate, "hours", OutsideTimeWindow(fact))


def _ask_windows(asked: _Asked, facts: Facts, mandate: Mandate, windows: Sequence[Window], payment: Payment) -> None:
    money, payee, asks = payment.money, payment.payee, payment.asks
    minor, used, mandate_id = money.minor, facts.used, mandate.id
    for window in windows:
        if window.currency is not None and window.currency != money.currency:
            continue
        if asks == "payee" or (asks == "payee_and_its_limits" and not window.per_payee):
            continue
        if window.per_payee and payee is None:  # The capture will say to whom.
            continue
        limit = mandate_id, window.key, payee.account_id if window.per_payee and payee else ANY_PAYEE
        before, uses = used.get(limit, NOTHING_USED)
        asked.after[limit] = Used(before + minor, uses + 1)
        over = window.max_minor is not None and before + minor > window.max_minor
        if over or (window.max_count is not None and uses + 1 > window.max_count):
            fact = _left(window, span_of(window, facts.now), Used(before, uses), money, over=over)
            asked.deny(mandate, window.key, LimitExceeded(fact))
        else:
            asked.silent.append(window.key)


def _left(window: Window, span: Span, used: Used, money: Money, *, over: bool) -> str:
    """What is left of a window, in words."""
    until = f" until {moment(span.resets_at)}" if span.resets_at else ""
    name = f"{'Rolling ' if window.kind == 'rolling' else ''}{window.period} limit".capitalize()
    whom = " to this payee" if window.per_payee else ""
    if over and window.max_minor is not None:
        left = show_minor(max(0, window.max_minor - used.amount_minor), money.currency)
        most = show_minor(window.max_minor, money.currency)
        return f"{name}{whom}: {left} of {most} {money.currency} left{until}; you asked {money}."
    most_uses = window.max_count or 0
    return f"{name}{whom}: {max(0, most_uses - used.uses)} of {most_uses} payments left{until}."


def _ask_velocity(asked: _Asked, facts: Facts, mandate: Mandate, terms: Terms, money: Money) -> None:
    velocity = terms.velocity
    if velocity is None:
        return
    limit = mandate.id, VELOCITY, ANY_PAYEE
    before, uses = facts.used.get(limit, NOTHING_USED)
    asked.after[limit] = Used(before + money.minor, uses + 1)
    if uses + 1 > velocity.max_count:
        again_at = span_of_velocity(velocity, facts.now).resets_at or facts.now
        asked.deny(mandate, VELOCITY, VelocityExceeded(velocity.max_count, velocity.seconds, again_at))
    else:
        asked.silent.append(VELOCITY)


def _ask_duplicate(asked: _Asked, facts: Facts, mandate: Mandate, terms: Terms, payment: Payment) -> None:
    seconds, earlier = terms.duplicate_seconds, facts.duplicate_of
    if seconds is None:
        return
    near = earlier is not None and earlier.at > facts.now - timedelta(seconds=seconds)
    if earlier is not None and near and earlier.event_id != payment.acknowledges:
        asked.deny(mandate, "duplicate", PossibleDuplicate(earlier.event_id, seconds))
    else:
        asked.silent.append("duplicate")


def _ask_approval(asked: _Asked, facts: Facts, mandate: Mandate, rule: ApprovalRule, payment: Payment) -> None:
    when, money = rule.when, payment.money
    over = when.amount_over_minor.get(money.currency)
    if over is not None and money.minor > over and payment.asks == "everything":
        fact = f"{money} {money.currency} is above {show_minor(over, money.currency)}."
        asked.approve(mandate, "approval", rule, fact)
    if when.new_payee and payment.payee and payment.payee.known_since is None:
        asked.approve(mandate, "approval", rule, f"{payment.payee.number} is a new payee.")
    if payment.rail in when.rails:
        asked.approve(mandate, "approval", rule, f"It goes by {payment.rail}.")
    if when.risk_at_least is None or payment.asks == "payee":  # The hold of a capture was asked about.
        return
    if facts.risk is None:
        asked.approve(mandate, "approval", rule, "Its risk score is not known.")
    elif facts.risk.score >= when.risk_at_least:
        asked.approve(mandate, "approval", rule, f"Its risk score is {facts.risk.score}: {facts.risk.why}.")


def _ask_risk(asked: _Asked, leaf: Mandate, risk: Risk) -> None:
    fact = f"risk score {risk.score}: {risk.why}"
    if risk.outcome == "deny":
        asked.deny(leaf, "risk", RiskTooHigh(risk.score, risk.why))
    elif risk.outcome == "step_up":
        asked.approve(leaf, "risk", _STEP_UP, fact)
    elif risk.outcome == "needs_approval":
        asked.approve(leaf, "risk", None, fact)
    else:
        asked.spoken.append(Result(leaf.id, "risk", "allow", fact))


def _needs(asked: Sequence[tuple[ApprovalRule | None, str]]) -> Needs | None:
    """The strictest of all that was asked for: the most people, every role, the least time."""
    if not asked:
        return None
    rules = [rule for rule, _ in asked if rule]
    return Needs(
        quorum=max([1, *(rule.quorum for rule in rules)]),
        roles=tuple(sorted({rule.role for rule in rules if rule.role})),
        ttl_seconds=min([rule.ttl_seconds for rule in rules], default=DEFAULT_TTL_SECONDS),
        step_up=any(rule.step_up for rule in rules),
        why=tuple(fact for _, fact in asked),
    )
