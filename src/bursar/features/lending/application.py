"""An application for a loan: what is known of it, where it stands, and from where it may come to where. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

import orjson

from bursar.core.identity.model import Actor
from bursar.features.lending.catalog import Product
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.ids import show
from bursar.kernel.money import Money, show_minor
from bursar.kernel.refusal import Conflict, Forbidden, InvalidArgument, Retry

Status = Literal[
    "draft", "submitted", "review", "approved", "rejected", "offered", "accepted", "withdrawn", "expired"
]  # fmt: skip
Outcome = Literal["approved", "rejected", "review"]
Awaited = Literal["approved", "rejected", "review", "accepted"]
EventType = Literal[
    "created", "changed", "statement", "submitted", "decided", "awaiting_approval", "not_approved", "offered",
    "accepted", "withdrawn", "expired",
]  # fmt: skip

# What is over stays over: whoever asks again applies again.
OVER: frozenset[Status] = frozenset({"rejected", "accepted", "withdrawn", "expired"})
_CHANGEABLE: frozenset[Status] = frozenset({"draft", "submitted", "review"})
_LEADS_TO: Mapping[Status, frozenset[Status]] = {
    "draft": frozenset({"submitted", "withdrawn", "expired"}),
    "submitted": frozenset({"approved", "rejected", "review", "withdrawn", "expired"}),
    "review": frozenset({"approved", "rejected", "withdrawn", "expired"}),
    "approved": frozenset({"offered", "withdrawn", "expired"}),
    "offered": frozenset({"accepted", "withdrawn", "expired"}),
    **dict.fromkeys(OVER, frozenset[Status]()),
}


class Intake(NamedTuple):
    """All that is known of an applicant and what they ask for; kept whole as canonical JSON.

    Amounts are minor units of the product's currency. `origins` says of a field where it is from, if not from the
    person: `{"origin": "document" | "inferred", "document": name | None}`. Documents are known by their metadata.
    """

    applicant_name: str
    email: str
    amount_minor: int
    installments: int
    purpose: str | None = None
    monthly_income_minor: int | None = None
    monthly_debt_service_minor: int | None = None
    origins: Mapping[str, Mapping[str, Json]] = {}
    documents: Sequence[Mapping[str, Json]] = ()
    consents: Sequence[Mapping[str, Json]] = ()
    # Where the hours are counted at which they may be reminded; None: the rules of contact name a zone.
    time_zone: str | None = None

    @property
    def known_by(self) -> str:
        """The e-mail as applicants are told apart by it."""
        return self.email.lower()

    @property
    def text(self) -> str:
        """As canonical JSON."""
        return canonical(self._asdict())


def read_intake(text: str) -> Intake:
    """An intake from its JSON."""
    return Intake(**orjson.loads(text))


class Application(NamedTuple):
    """An application; the columns of `loan_application` in their order."""

    id: UUID
    version: int
    product: str
    product_version: int
    status: Status
    currency: str
    intake: Intake
    made_by: UUID
    decider_id: UUID
    approval_id: UUID | None
    awaits: Awaited | None
    case_id: UUID | None
    follows_id: UUID | None
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None

    @property
    def money(self) -> Money:
        """What is asked for."""
        return Money(self.intake.amount_minor, self.currency)


class ApplicationConflict(Conflict):
    """The application does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the application again with GET /v1/applications/{application_id}."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was changed and no money moved."


class DuplicateApplication(Conflict):
    """The e-mail has an application already."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Go on with the one named in `detail`. Once that is over, a new one names it as `follows`."

    def __init__(self, earlier: UUID) -> None:
        """The application that is there."""
        super().__init__(earlier)
        self.earlier = earlier

    @property
    def code(self) -> str:
        """As of a payment that resembles another."""
        return "possible_duplicate"

    @property
    def detail(self) -> str:
        """Which one is there."""
        return f"{show('app', self.earlier)} is the application of this e-mail. Nothing was made and no money moved."


class NotTheirs(Forbidden):
    """This is for somebody else to do."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "GET /v1/applications/{application_id} names who applied and who decides."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """As of an approval that is for others."""
        return "not_an_approver"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was decided and no money moved."


class ConsentRequired(Forbidden):
    """The applicant has not consented."""

    retry: ClassVar[Retry] = "new_request"
    next: ClassVar[str] = "Ask the applicant, enter their consent with /change, and submit again."

    def __init__(self, missing: Sequence[str]) -> None:
        """The kinds of consent that are missing."""
        super().__init__(missing)
        self.missing = tuple(missing)

    @property
    def detail(self) -> str:
        """Which are missing."""
        return f"Consent to {' and '.join(self.missing)} is missing. Nothing was changed and no money moved."


def begun(
    application_id: UUID, actor: Actor, decider_id: UUID, product: Product, intake: Intake, follows_id: UUID | None,
    now: datetime,
) -> Application:  # fmt: skip
    """A new application, a draft; refuses what its product does not lend."""
    refuse_outside(product, intake)
    until = now + timedelta(days=product.application_days)
    return Application(
        application_id, 1, product.code, product.version, "draft", product.currency, intake, actor.principal_id,
        decider_id, None, None, None, follows_id, now, now, until,
    )  # fmt: skip


def refuse_outside(product: Product, intake: Intake) -> None:
    """Refuse an amount or a term that the product does not have."""
    least, most = (show_minor(minor, product.currency) for minor in (product.min_minor, product.max_minor))
    if not product.min_minor <= intake.amount_minor <= product.max_minor:
        raise InvalidArgument("amount", f"{product.code} lends from {least} to {most} {product.currency}")
    if not product.min_installments <= intake.installments <= product.max_installments:
        few, many = product.min_installments, product.max_installments
        raise InvalidArgument("installments", f"{product.code} is paid back in {few} to {many} installments")


def refuse_stale(application: Application, version: int | None) -> None:
    """Refuse whoever looked at another version than the present one; None: at whichever there is."""
    if version is not None and version != application.version:
        raise ApplicationConflict(f"The application is at version {application.version}, not {version}.")


def changed(application: Application, product: Product, changes: Mapping[str, Any], now: datetime) -> Application:
    """With other facts; not while it waits for an approval, which is of the facts as they are."""
    after = stated(application, now)
    intake = application.intake._replace(**changes)
    refuse_outside(product, intake)
    if intake == application.intake:
        raise InvalidArgument("version", "comes with nothing that the application does not say already")
    return after._replace(intake=intake)


def stated(application: Application, now: datetime) -> Application:
    """With more that is known of it, as long as nobody has decided or is asked to."""
    if application.status not in _CHANGEABLE or application.approval_id:
        raise ApplicationConflict(f"The application is {_where(application)}.")
    return _next(application, now)


def submitted(application: Application, product: Product, now: datetime) -> Application:
    """Ready to be decided; refuses while a consent that the product asks for is missing."""
    refuse_without_consent(application, product)
    return moved(application, "submitted", now)


def refuse_without_consent(application: Application, product: Product) -> None:
    """Ask that the applicant has consented to all that the product needs."""
    given = [consent["consent"] for consent in application.intake.consents]
    missing = [kind for kind in product.consents if kind not in given]
    if missing:
        raise ConsentRequired(missing)


def moved(application: Application, status: Status, now: datetime) -> Application:
    """Where it stands from now on; refuses what does not lead on from where it is."""
    if status not in _LEADS_TO[application.status]:
        raise ApplicationConflict(f"The application is {_where(application)}.")
    after = _next(application, now)._replace(status=status, approval_id=None, awaits=None)
    return after._replace(expires_at=None) if status in OVER else after


def awaiting(application: Application, approval_id: UUID, awaits: Awaited, now: datetime) -> Application:
    """What people must approve first: a decision is in review until then."""
    moved(application, awaits, now)
    held: Status = application.status if awaits == "accepted" else "review"
    return _next(application, now)._replace(status=held, approval_id=approval_id, awaits=awaits)


def not_approved(application: Application, now: datetime) -> Application:
    """People did not approve, or not in time: it stands where it stood while it waited."""
    return _next(application, now)._replace(approval_id=None, awaits=None)


def refuse_waiting(application: Application) -> None:
    """Refuse what would pass by those who are asked to approve."""
    if application.approval_id:
        raise ApplicationConflict(f"The application is {_where(application)}.")


def refuse_not_decider(actor: Actor, application: Application) -> None:
    """Only the agent named decides and offers, and only people what is in review."""
    if actor.kind != "operator" and actor.principal_id != application.decider_id:
        raise NotTheirs("Another agent decides this application.")
    if actor.kind != "operator" and application.status == "review":
        raise NotTheirs("The application is in review: a person decides it.")


def refuse_expired(application: Application, now: datetime) -> None:
    """What has run out is so from its moment on, whether the worker has been there or not."""
    if application.expires_at and application.expires_at <= now:
        raise ApplicationConflict("The application has expired.")


def _next(application: Application, now: datetime) -> Application:
    return application._replace(version=application.version + 1, changed_at=now)


def _where(application: Application) -> str:
    words = {"review": "in review", "draft": "a draft"}
    waits = f" and waits for the approval {show('apr', application.approval_id)}" if application.approval_id else ""
    return words.get(application.status, application.status) + waits
