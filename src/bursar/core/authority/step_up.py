"""Proof that an operator is there now: a one-time code of RFC 6238, each used once."""

import hmac
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP

from bursar.core.authority import approval_store as store
from bursar.core.identity.model import Principal
from bursar.core.ledger import reading
from bursar.kernel.db import Tx
from bursar.kernel.refusal import Forbidden, Retry

SECONDS_A_STEP = 30
# Clocks differ, and codes take a moment to type.
_STEPS_APART = (-1, 0, 1)


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


async def prove(tx: Tx, operator_id: UUID, code: str | None) -> None:
    """Use up a code of the operator's; refuses any that is not theirs now."""
    if code is None:
        raise StepUpFailed("This needs a one-time code of yours.")
    known = await store.lock_totp(tx, operator_id)
    if known is None:
        raise StepUpFailed("You have no authenticator enrolled; whoever runs the service can enrol one.")
    step = step_of(known.secret, code, await reading.clock(tx), known.last_step)
    if step is None:
        raise StepUpFailed("The one-time code is wrong or was used before.")
    store.mark_step(tx, operator_id, step)


def enrol(tx: Tx, operator: Principal) -> str:
    """Give an operator a new secret in place of an earlier one; returns its otpauth URI, which is shown once."""
    secret = random_base32()
    store.write_totp(tx, operator.id, secret)
    return TOTP(secret, interval=SECONDS_A_STEP).provisioning_uri(name=operator.name, issuer_name="Bursar")
