"""Why an agent may not: each refusal names the fact that decided it and the next useful step."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from bursar.kernel.ids import show
from bursar.kernel.refusal import Conflict, Forbidden, NotFound, Retry

_ASK = "Ask an operator to change the mandate; GET /v1/agents/{agent}/authority tells what you may do."


class _ByFact(Exception):
    """Says the sentence that decided it: the rule has written it from what it compared."""

    def __init__(self, fact: str) -> None:
        """`fact` ends with a full stop."""
        super().__init__(fact)
        self.fact = fact

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} No money moved."


class MandateMissing(_ByFact, Forbidden):
    """No mandate of this agent covers this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = _ASK


class MandateExpired(Forbidden):
    """The mandate is no longer in force."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator to renew the mandate."

    def __init__(self, name: str, since: datetime) -> None:
        """The mandate's name, and when it ended."""
        super().__init__(name, since)
        self.name, self.since = name, since

    @property
    def detail(self) -> str:
        """Which mandate and since when."""
        return f"The mandate {self.name} expired at {moment(self.since)}. No money moved."


class MandateNotBegun(Forbidden):
    """The mandate is not in force yet."""

    next: ClassVar[str] = "Send a new request from the moment named in `detail` on."

    def __init__(self, name: str, begins_at: datetime) -> None:
        """The mandate's name, and when it begins."""
        super().__init__(name, begins_at)
        self.name, self.begins_at = name, begins_at

    @property
    def code(self) -> str:
        """The closed list of codes has one word for a mandate outside its time."""
        return "mandate_expired"

    @property
    def detail(self) -> str:
        """Which mandate and from when on."""
        return f"The mandate {self.name} begins at {moment(self.begins_at)}. No money moved."


class MandateRevoked(Forbidden):
    """The mandate was revoked or is paused."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = (
        "Ask an operator for another mandate; two operators may resume one that is paused, each with"
        " POST /v1/mandates/{mandate}/resume."
    )

    def __init__(self, name: str, status: str) -> None:
        """The mandate's name and its status."""
        super().__init__(name, status)
        self.name, self.status = name, status

    @property
    def detail(self) -> str:
        """Which mandate, and what it is."""
        return f"The mandate {self.name} is {self.status}. No money moved."


class CurrencyNotMandated(Forbidden):
    """The mandate does not cover this currency."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = _ASK

    def __init__(self, currency: str, allowed: list[str]) -> None:
        """The currency asked and those the mandate covers."""
        super().__init__(currency, allowed)
        self.currency, self.allowed = currency, allowed

    @property
    def code(self) -> str:
        """The same code as for an account of another currency."""
        return "currency_not_allowed"

    @property
    def detail(self) -> str:
        """Both."""
        allowed = ", ".join(self.allowed) or "no currency"
        return f"Your mandate covers {allowed}; you asked {self.currency}. No money moved."


class UnknownCounterparty(NotFound):
    """No operator has entered this payee."""

    next: ClassVar[str] = "Ask an operator to enter the payee with POST /v1/counterparties, or pay a known one."

    def __init__(self, number: str) -> None:
        """The number of the payee's account."""
        super().__init__(number)
        self.number = number

    @property
    def detail(self) -> str:
        """Which account."""
        return f"{self.number} is no known counterparty, and your mandate pays known ones only. No money moved."


class PayeeNotAllowed(_ByFact, Forbidden):
    """The mandate does not let this agent pay this payee."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Pay a counterparty of your mandate, or ask an operator to allow this one."

    @property
    def code(self) -> str:
        """The trade's word for a payee is counterparty."""
        return "counterparty_not_allowed"


class LimitExceeded(_ByFact, Conflict):
    """A limit of the mandate would be exceeded."""

    next: ClassVar[str] = "Ask for at most what is left, wait for the reset, or ask an operator for a higher limit."


class VelocityExceeded(Conflict):
    """Too many payments in a short time."""

    next: ClassVar[str] = "Wait until the moment named in `detail`, then send a new request."

    def __init__(self, most: int, seconds: int, again_at: datetime) -> None:
        """The limit, its length, and when there may be room again."""
        super().__init__(most, seconds, again_at)
        self.most, self.seconds, self.again_at = most, seconds, again_at

    @property
    def detail(self) -> str:
        """The limit and when to try again."""
        return (
            f"Your mandate allows {self.most} payments in {self.seconds} seconds, and they are made;"
            f" try again after {moment(self.again_at)}. No money moved."
        )


class OutsideTimeWindow(_ByFact, Conflict):
    """The mandate allows payments at other times only."""

    next: ClassVar[str] = "Send a new request within the hours named in `detail`."


class PossibleDuplicate(Conflict):
    """The same payee was paid the same amount a moment ago."""

    next: ClassVar[str] = (
        "If you mean the same payment, it is done: retry with the SAME Idempotency-Key next time. If it is another "
        "one, send a new request whose `acknowledge_duplicate` is the id named in `detail`."
    )

    def __init__(self, earlier: UUID, seconds: int) -> None:
        """The earlier payment's event, and how far back the guard looks."""
        super().__init__(earlier, seconds)
        self.earlier, self.seconds = earlier, seconds

    @property
    def detail(self) -> str:
        """Which payment came before."""
        return (
            f"{show('evt', self.earlier)} paid the same amount to the same payee within the last"
            f" {self.seconds} seconds. No money moved."
        )


class RiskTooHigh(Conflict):
    """The payment's risk score is too high."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator to look at the payment; sending it again does not help."

    def __init__(self, score: int, why: str) -> None:
        """The score, and its largest contribution in words."""
        super().__init__(score, why)
        self.score, self.why = score, why

    @property
    def code(self) -> str:
        """The closed list of codes has no word for risk: it is a limit of the tenant's."""
        return "limit_exceeded"

    @property
    def detail(self) -> str:
        """The score and what weighed most."""
        return f"The risk score of this payment is {self.score} of 100: {self.why}. No money moved."


def moment(at: datetime) -> str:
    """A time as refusals write it: UTC, the next whole second, so that who comes back then is not too early."""
    up = at.astimezone(UTC) + timedelta(seconds=1, microseconds=-1)
    return up.strftime("%Y-%m-%dT%H:%M:%SZ")
