"""The flat shapes of lending's quickstart."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Told
from bursar.wire.lending import ApplicantName, Email, Outcome, Reason
from bursar.wire.quickstart import LooseAmount


class QuickApplication(Asked):
    """System 4: somebody asks for a loan, in US dollars."""

    applicant_name: ApplicantName
    email: Email
    amount_requested: LooseAmount


class QuickApplicationAnswer(Told):
    """System 4's answer."""

    application_id: Annotated[str, Field(examples=["app_0192f7b48c1d7d5e9a3b6f1e2d3c4b5a"])]
    status: Literal["pending"]
    email: str


class QuickDecision(Asked):
    """What the query of a decision says, as requests are compared by it."""

    decision: Outcome
    reason: Reason | None


class QuickDecisionAnswer(Told):
    """System 4's answer to a decision."""

    application_id: str
    decision: Outcome
