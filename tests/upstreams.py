"""An upstream in the test's own memory, which goes wrong when told to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from bursar.features.payments.ports import Effect, ProviderRefused, Question, Report
from bursar.features.payments.upstream import NAME, Available, Transfer


def report_of(order: Transfer) -> Report:
    """What an upstream says of a transfer that it has made."""
    reference = uuid5(NAMESPACE_URL, order.key).hex
    effect = Effect(reference, "transfer", order.amount_minor, order.currency, key=order.key, about=reference)
    return Report(order.key, "transfer", reference, "succeeded", order.amount_minor, order.currency, (effect,))


@dataclass
class Upstream:
    """Knows every number, in USD; `before` and `after` happen once, around the next call that moves money.

    Of what comes from a number that begins with `liar` it says another amount, the first time.
    """

    name: str = NAME
    key_window_seconds: int = 10**9
    balances: dict[str, int] = field(default_factory=dict[str, int])
    made: dict[str, Transfer] = field(default_factory=dict[str, Transfer])
    calls: list[Transfer] = field(default_factory=list[Transfer])
    before: Callable[[], Awaitable[None]] | None = None
    after: Callable[[Report], Awaitable[Report]] | None = None

    async def transfer(self, order: Transfer) -> Report:
        self.calls.append(order)
        before, after = self.before, self.after
        self.before = self.after = None
        if before:
            await before()
        if order.source.startswith("liar") and order.key not in self.made:
            self.made[order.key] = order
            return report_of(order)._replace(amount_minor=order.amount_minor + 1)
        if order.key not in self.made:
            if self.balances.get(order.source, 0) < order.amount_minor:
                raise ProviderRefused("insufficient_funds")
            self.made[order.key] = order
            self.balances[order.source] -= order.amount_minor
            self.balances[order.target] = self.balances.get(order.target, 0) + order.amount_minor
        report = report_of(order)
        return await after(report) if after else report

    async def ask(self, question: Question) -> Report | None:
        del question

    async def balance(self, number: str) -> Available:
        if number.startswith("nobody"):
            raise ProviderRefused("unknown_account")
        return Available(self.balances.get(number, 0), "USD")
