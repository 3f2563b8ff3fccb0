"""Applications between the wire and the room: what is asked read, what is there shown."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from bursar.core.events.model import Happening
from bursar.features.lending import loan_store, store
from bursar.features.lending.application import Application, Intake
from bursar.features.lending.application_store import Occurred
from bursar.features.lending.catalog import Version
from bursar.features.lending.policy import adverse_reasons, assessment_of, read_judgement
from bursar.features.lending.store import Decision, Offer
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from bursar.kernel.zones import known_zone
from bursar.wire import lending as wire
from bursar.wire import loan_products as products
from bursar.wire.fields import show_time


def read_changes(body: wire.CreateApplication | wire.ChangeApplication, currency: str) -> dict[str, Any]:
    """The facts that a body names, as an intake has them."""
    changes: dict[str, Any] = {
        name: value
        for name in ("applicant_name", "installments", "purpose")
        if (value := getattr(body, name)) is not None
    }
    if body.amount is not None:
        changes["amount_minor"] = read_amount(body.amount, currency).minor
    for name in ("monthly_income", "monthly_debt_service"):
        if (text := getattr(body, name)) is not None:
            changes[f"{name}_minor"] = _minor(text, currency, name)
    if body.time_zone is not None:
        changes["time_zone"] = known_zone(body.time_zone, "time_zone")
    if body.origins is not None:
        changes["origins"] = {o.field: {"document": o.document, "origin": o.origin} for o in body.origins}
    if body.documents is not None:
        changes["documents"] = [document.model_dump() for document in body.documents]
    if body.consents is not None:
        changes["consents"] = [{**c.model_dump(), "given_at": show_time(c.given_at)} for c in body.consents]
    return changes


def _minor(text: str, currency: str, argument: str) -> int:
    """An amount that may be nothing."""
    return 0 if not text.strip("0.") else read_amount(text, currency, argument).minor


def read_wish(body: wire.CreateApplication, currency: str) -> Intake:
    """What somebody asks for; refuses another currency than the product's."""
    if body.currency != currency:
        raise InvalidArgument("currency", f"the product is in {currency}")
    return Intake(email=body.email, **read_changes(body, currency))


def read_follows(text: str | None) -> Any:
    """The application that another follows; refuses what names none."""
    if text is None:
        return None
    found = read("app", text)
    if found is None:
        raise UnknownObject("application")
    return found


def show_product(kept: Version) -> products.LoanProduct:
    """A version of a product as the wire shows it."""
    product = kept.product
    return products.LoanProduct(
        code=product.code,
        version=product.version,
        terms=dict(product.facts),
        terms_hash=product.hash.hex(),
        made_by=show("prn", kept.made_by),
        made_at=kept.made_at,
    )


class Seen(NamedTuple):
    """An application with all that was decided on it, offered for it, and the loan it has become."""

    application: Application
    decisions: Sequence[Decision]
    offer: Offer | None
    loan_id: UUID | None = None


async def see(tx: Tx, found: Application) -> Seen:
    """Find what belongs to an application."""
    return Seen(
        found,
        await store.list_decisions(tx, found.id),
        await store.find_offer(tx, found.id),
        await loan_store.find_loan_id(tx, found.id),
    )


def show_application(seen: Seen) -> wire.Application:
    """An application as the wire shows it."""
    found = seen.application
    intake, currency = found.intake, found.currency
    return wire.Application(
        id=show("app", found.id),
        version=found.version,
        status=found.status,
        product=found.product,
        product_version=found.product_version,
        applicant_name=intake.applicant_name,
        email=intake.email,
        amount=show_minor(intake.amount_minor, currency),
        currency=currency,
        installments=intake.installments,
        purpose=intake.purpose,
        time_zone=intake.time_zone,
        monthly_income=_shown(intake.monthly_income_minor, currency),
        monthly_debt_service=_shown(intake.monthly_debt_service_minor, currency),
        origins=[wire.FieldOrigin.model_validate({"field": name, **o}) for name, o in sorted(intake.origins.items())],
        documents=[wire.ApplicationDocument.model_validate(document) for document in intake.documents],
        consents=[wire.Consent.model_validate(consent) for consent in intake.consents],
        made_by=show("prn", found.made_by),
        decider=show("prn", found.decider_id),
        approval_id=show("apr", found.approval_id) if found.approval_id else None,
        case_id=show("case", found.case_id) if found.case_id else None,
        follows=show("app", found.follows_id) if found.follows_id else None,
        decisions=[_decision(decision) for decision in seen.decisions],
        offer=_offer(seen.offer) if seen.offer else None,
        loan_id=show("loan", seen.loan_id) if seen.loan_id else None,
        created_at=found.created_at,
        changed_at=found.changed_at,
        expires_at=found.expires_at,
    )


def _shown(minor: int | None, currency: str) -> str | None:
    return None if minor is None else show_minor(minor, currency)


def _decision(made: Decision) -> wire.LoanDecision:
    judgement = read_judgement(made.judgement)
    return wire.LoanDecision(
        id=show("dec", made.id),
        application_version=made.application_version,
        outcome=made.outcome,
        policy=judgement.says,
        reasons=[wire.DecisionReason.model_validate(reason._asdict()) for reason in judgement.reasons],
        adverse_reasons=adverse_reasons(judgement, made.inputs, made.reason) if made.outcome == "rejected" else [],
        score=_score(made),
        reason=made.reason,
        decided_by=show("prn", made.decided_by),
        decided_at=made.decided_at,
        inputs_hash=made.inputs_hash.hex(),
    )


def _score(made: Decision) -> wire.LoanScore | None:
    known = assessment_of(made.inputs)
    score = known["score"]
    if score is None:
        return None
    return wire.LoanScore(
        scorecard=known["card"][0],
        points=score["points"],
        probability=score["probability"],
        band=score["band"],
        proposal=score["proposal"],
        reasons=[wire.ScoreReason.model_validate(reason) for reason in score["reasons"]],
        statement_sha256=known["statement"][1],
    )


def _offer(made: Offer) -> wire.Offer:
    terms: Any = orjson.loads(made.terms)
    currency = terms["currency"]
    rows = [(due, *minors, sum(minors)) for due, *minors in terms["installments"]]
    installments = [
        wire.OfferedInstallment(
            due=due,
            principal=show_minor(principal, currency),
            interest=show_minor(interest, currency),
            fee=show_minor(fee, currency),
            total=show_minor(total, currency),
        )
        for due, principal, interest, fee, total in rows
    ]
    return wire.Offer(
        id=show("ofr", made.id),
        amount=show_minor(terms["amount_minor"], currency),
        disbursement_fee=show_minor(terms["disbursement_fee_minor"], currency),
        currency=currency,
        total=show_minor(sum(row[-1] for row in rows), currency),
        rate_ppm=terms["rate_ppm"],
        apr_ppm=terms["apr_ppm"],
        from_day=terms["from_day"],
        installments=installments,
        terms_hash=made.terms_hash.hex(),
        made_by=show("prn", made.made_by),
        made_at=made.made_at,
        expires_at=made.expires_at,
    )


def show_event(occurred: Occurred) -> wire.ApplicationEvent:
    """What happened to an application as the wire shows it."""
    return wire.ApplicationEvent(
        version=occurred.version,
        type=occurred.type,
        status=occurred.status,
        actor=occurred.actor,
        facts=orjson.loads(occurred.body),
        happened_at=occurred.happened_at,
    )


def told_product(kept: Version) -> Happening:
    """What the record says of a version of a product."""
    product = kept.product
    facts = {"terms": dict(product.facts), "terms_hash": product.hash.hex(), "version": product.version}
    return Happening("loan_product.made", "done", facts, product.code)
