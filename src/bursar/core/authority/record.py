"""What is kept of a decision, so that it can be read, proved and made again: written here, and read back here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from bursar.core.authority.facts import (
    ANY_PAYEE,
    VELOCITY,
    Earlier,
    Facts,
    Meter,
    Payee,
    Payment,
    Risk,
    Used,
    Verdict,
)
from bursar.core.authority.mandate import Mandate
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.ids import made_of
from bursar.kernel.money import Money

# The results of a decision that people made.
NO_RESULTS = "[]"
_MEANT_WHERE_NOTHING_IS_SAID = {
    "acknowledges": None,
    "assessed": None,
    "asks": "everything",
    "duplicate_of": None,
    "risk": None,
}


def fingerprint_of(agent_id: UUID, whom_id: UUID, money: Money) -> UUID:
    """What the guard against duplicates looks for: the same for the same agent, payee, currency and amount only."""
    text = f"{agent_id.hex}{whom_id.hex}{money.currency}{money.minor}"
    return made_of(sha256(text.encode()).digest()[:16])


def inputs_of(facts: Facts, payment: Payment, assessed: Json = None) -> str:
    """The facts that the rules saw, enough to ask them again: canonical JSON, without what goes without saying.

    `used` has the amount and then the number of uses of each limit in the order of `limits_of`, which is that of the
    facts; `assessed` is what the risk rules went by.
    """
    earlier, payee, money = facts.duplicate_of, payment.payee, payment.money
    said: dict[str, Json] = {
        "action": payment.action,
        "amount_minor": money.minor,
        "currency": money.currency,
        "mandates": [[m.id.hex, m.version] for m in facts.chain],
        "now": _shown(facts.now, facts.now.tzinfo),
        "payee": _payee(payee) if payee else None,
        "rail": payment.rail,
        "source": payment.source,
        "used": [number for used in facts.used.values() for number in used],
    }
    if payment.acknowledges:
        said["acknowledges"] = payment.acknowledges.hex
    if assessed is not None:
        said["assessed"] = assessed
    if payment.asks != "everything":
        said["asks"] = payment.asks
    if earlier:
        said["duplicate_of"] = [earlier.event_id.hex, earlier.at.isoformat()]
    if facts.risk:
        said["risk"] = list(facts.risk)
    return canonical(said)


def _payee(payee: Payee) -> list[Json]:
    account_id, number, counterparty_id, version, status, since = payee
    return [
        account_id.hex,
        number,
        counterparty_id.hex if counterparty_id else None,
        version,
        status,
        _shown(since, since.tzinfo) if since else None,
    ]


# The orders of a batch share their moment, and who is paid once is paid again. The zone is of the key, because moments
# that are equal are written in another way in another zone.
@lru_cache(maxsize=4096)
def _shown(moment: datetime, _: tzinfo | None) -> str:
    return moment.isoformat()


def limits_of(mandate: Mandate, payee_id: UUID | None) -> Iterator[tuple[UUID, str, UUID]]:
    """What counts for a payment under a mandate, always in the same order: its windows, then its velocity."""
    for window in mandate.terms.windows:
        yield mandate.id, window.key, payee_id if window.per_payee and payee_id else ANY_PAYEE
    if mandate.terms.velocity:
        yield mandate.id, VELOCITY, ANY_PAYEE


def read_inputs(text: str) -> Mapping[str, Any]:
    """Inputs as they were written, with what went without saying."""
    return _MEANT_WHERE_NOTHING_IS_SAID | orjson.loads(text)


def payment_in(inputs: Mapping[str, Any]) -> Payment:
    """The payment that a decision was about."""
    payee, acknowledges = inputs["payee"], inputs["acknowledges"]
    return Payment(
        inputs["action"],
        inputs["source"],
        _payee_in(*payee) if payee else None,
        Money(inputs["amount_minor"], inputs["currency"]),
        inputs["rail"],
        UUID(acknowledges) if acknowledges else None,
        inputs["asks"],
    )


def _payee_in(
    account_id: str, number: str, counterparty_id: str | None, version: int | None, status: str | None,
    known_since: str | None,
) -> Payee:  # fmt: skip
    since = datetime.fromisoformat(known_since) if known_since else None
    return Payee(UUID(account_id), number, UUID(counterparty_id) if counterparty_id else None, version, status, since)


def facts_in(inputs: Mapping[str, Any], versions: Mapping[tuple[UUID, int], Mandate]) -> Facts:
    """The facts that a decision was made on; `versions` holds the mandates as they stood."""
    chain = [versions[UUID(mandate), version] for mandate, version in inputs["mandates"]]
    payee, earlier, risk, used = inputs["payee"], inputs["duplicate_of"], inputs["risk"], inputs["used"]
    limits = [limit for m in chain for limit in limits_of(m, UUID(payee[0]) if payee else None)]
    return Facts(
        datetime.fromisoformat(inputs["now"]),
        chain,
        {limit: Used(*each) for limit, each in zip(limits, zip(used[::2], used[1::2], strict=True), strict=True)},
        Earlier(UUID(earlier[0]), datetime.fromisoformat(earlier[1])) if earlier else None,
        Risk(*risk) if risk else None,
    )


def results_of(verdict: Verdict) -> str:
    """What each rule said: for each mandate the names of those that had nothing to object, and all others in full.

    Canonical JSON: a list of texts with a space between names, then a list of [mandate's place, rule, answer, fact].
    """
    spoken: list[Json] = [
        [place, rule, said, fact] for place, heard in enumerate(verdict.heard) for _, rule, said, fact in heard.spoken
    ]
    return canonical([[" ".join(heard.silent) for heard in verdict.heard], spoken])


def denies(results: str) -> bool:
    """Whether a rule said no, by the results of `results_of`."""
    return any(said == "deny" for _, _, said, _ in orjson.loads(results)[1])


def uses_of(meters: Sequence[Meter]) -> str:
    """The windows that a reservation uses, as they are kept to be given back."""
    return canonical([[m.mandate_id.hex, m.window_key, m.payee_id.hex, m.bucket.isoformat()] for m in meters])


def meters_of(uses: str) -> list[Meter]:
    """The windows that a reservation uses, read back."""
    return [
        Meter(UUID(mandate), key, UUID(payee), datetime.fromisoformat(bucket))
        for mandate, key, payee, bucket in orjson.loads(uses)
    ]
