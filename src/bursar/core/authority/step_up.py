"""Proof that an operator is there now: a one-time code of RFC 6238, each used once."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP

from bursar.core.authority import approval_store as store
from bursar.core.authority import security_key_store
from bursar.core.authority.refusals import moment
from bursar.core.identity.model import Principal
from bursar.core.ledger import reading
from bursar.kernel.db import Tx
from bursar.kernel.refusal import Forbidden, Retry

SECONDS_A_STEP = 30
# Clocks differ, and codes take a moment to type.
_STEPS_APART = (-1, 0, 1)
# A guess hits with 3 in 1,000,000, so this many in this time come to about 1 in 700 for a whole day of guessing, while
# somebody who mistypes, or sends a code twice, is seldom stopped.
MOST_WRONG = 5
WRONG_COUNTS_FOR = timedelta(minutes=15)


class StepUpFailed(Forbidden):
    """The one-time code is missing, wrong or used."""

    retry: ClassVar[Retry] = "new_request"
    next: ClassVar[str] = "Send the present code of your authenticator as `code`; each code can be used once."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was decided."


class StepUpPaused(StepUpFailed):
    """Too many one-time codes were wrong."""

    next: ClassVar[str] = "Wait until the moment named in `detail`, or have whoever runs the service enrol you anew."

    def __init__(self, until: datetime) -> None:
        """When a code is looked at again."""
        minutes = int(WRONG_COUNTS_FOR.total_seconds()) // 60
        super().__init__(
            f"{MOST_WRONG} wrong codes came within {minutes} minutes: no code of yours is taken before {moment(until)}."
        )

    @property
    def code(self) -> str:
        """It is the step-up that fails."""
        return "step_up_failed"


def step_of(secret: str, code: str, at: datetime, last_step: int) -> int | None:
    """The step of time that a code of six digits belongs to: this one or a neighbour, later than the last one used.

    RFC 6238, with SHA-1 and steps of 30 seconds as authenticators have them.
    """
    totp, present = TOTP(secret, interval=SECONDS_A_STEP), int(at.timestamp()) // SECONDS_A_STEP
    found = None
    # All are compared, so that the time it takes says nothing.
    for step in (present + apart for apart in _STEPS_APART):
        same = hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
        if same and step > last_step:
            found = step
    return found


def paused_until(wrong_at: Sequence[datetime], now: datetime) -> datetime | None:
    """Until when no code is taken after wrong ones at these times, oldest first; None when one may be tried."""
    recent = [at for at in wrong_at if at + WRONG_COUNTS_FOR > now]
    return recent[-MOST_WRONG] + WRONG_COUNTS_FOR if len(recent) >= MOST_WRONG else None


async def prove(tx: Tx, operator_id: UUID, code: str | None) -> StepUpFailed | None:
    """Use up a code of the operator's; None when it was good.

    A wrong code is returned, not raised: that it came must be kept by the transaction that refuses it, under the very
    lock under which it was compared, or guesses at the same time would not be counted.
    """
    if code is None:
        raise StepUpFailed("This needs a one-time code of yours.")
    known = await store.lock_totp(tx, operator_id)
    if known is None:
        raise StepUpFailed("You have no authenticator enrolled; whoever runs the service can enrol one.")
    now = await reading.clock(tx)
    until = paused_until(known.wrong_at, now)
    if until:
        raise StepUpPaused(until)
    step = step_of(known.secret, code, now, known.last_step)
    if step is None:
        store.mark_wrong(tx, operator_id, [*known.wrong_at, now][-MOST_WRONG:])
        return StepUpFailed("The one-time code is wrong or was used before.")
    store.mark_step(tx, operator_id, step)
    return None


def enrol(tx: Tx, operator: Principal) -> str:
    """Give an operator a new secret in place of an earlier one; returns its otpauth URI, which is shown once.

    Security keys go with the earlier secret, by which they were enrolled.
    """
    secret = random_base32()
    store.write_totp(tx, operator.id, secret)
    security_key_store.remove_credentials(tx, operator.id)
    return TOTP(secret, interval=SECONDS_A_STEP).provisioning_uri(name=operator.name, issuer_name="Bursar")
