"""An application is decided: by an agent within its mandate and the product's rules, or by people.

The decision is an undertaking at the desk, so that the one function which authorises money counts the loan's amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import ClassVar
from uuid import UUID

from bursar.core.authority.model import Ask, Begun, PendingApproval, Told
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.orders import Claims, Order, Undertake
from bursar.core.ledger.outcomes import Refused
from bursar.features.lending import application as model
from bursar.features.lending import ending, filing, service, store
from bursar.features.lending.application import Application, Outcome
from bursar.features.lending.catalog import Product
from bursar.features.lending.policy import Judgement, inputs_of, judge
from bursar.features.lending.store import Decision
from bursar.features.lending.trail import told, write
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import Forbidden, InvalidArgument, Retry


class PolicyRefused(Forbidden):
    """The rules of the product do not let this be approved."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Reject the application, or send it to review: then a person decides."

    def __init__(self, judgement: Judgement) -> None:
        """What the rules said."""
        super().__init__(judgement)
        self.judgement = judgement

    @property
    def detail(self) -> str:
        """Every rule that objects, in plain words."""
        return f"{' '.join(reason.fact for reason in self.judgement.reasons)} Nothing was decided and no money moved."


@dataclass(slots=True)
class Deciding:
    """One decision, as the `Aside` of its instruction: the application is locked before anything is asked."""

    ask: Ask
    application_id: UUID | None
    outcome: Outcome
    reason: str | None
    # The version that was looked at; None: whichever there is.
    version: int | None = None
    mandate_id: UUID | None = None
    event: UUID = field(default_factory=new_id)
    # As it stands once this is decided.
    application: Application | None = None
    decisions: Sequence[Decision] = ()
    _product: Product | None = None
    _now: datetime | None = None

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Whether it may be decided so, by whom asks, on what is known of it now."""
        found = await service.locked(tx, actor, self.application_id)
        self._now = now = await reading.clock(tx)
        model.refuse_stale(found, self.version)
        model.refuse_expired(found, now)
        model.refuse_waiting(found)
        model.refuse_not_decider(actor, found)
        model.moved(found, self.outcome, now)
        self._product = product = await service.product_of(tx, found)
        model.refuse_without_consent(found, product)
        inputs = inputs_of(found, product, await filing.assessed(tx, found, product))
        judgement = judge(product.facts, inputs)
        self._refuse_policy(actor, found, judgement)
        made = Decision(
            new_id(), found.id, found.version, self.outcome, actor.principal_id, self.reason, inputs,
            sha256(inputs.encode()).digest(), judgement.text, self.event, now,
        )  # fmt: skip
        self.application, self.decisions = found, [*await store.list_decisions(tx, found.id), made]
        return None

    def _refuse_policy(self, actor: Actor, found: Application, judgement: Judgement) -> None:
        """An agent approves only what the rules let pass; people may think otherwise, but not of what they took in."""
        may_override = actor.kind == "operator" and actor.principal_id != found.made_by
        if self.outcome == "approved" and judgement.says != "pass" and not may_override:
            raise PolicyRefused(judgement)
        unexplained = self.outcome == "rejected" and not any(r.says == "reject" for r in judgement.reasons)
        overridden = self.outcome == "approved" and judgement.says != "pass"
        if self.reason is None and (unexplained or overridden):
            raise InvalidArgument("reason", "is needed: the rules of the product do not say why")

    def orders(self, actor: Actor) -> Sequence[Order]:
        """An approval uses limits as if the loan were paid; all else need only be covered by the mandate."""
        del actor
        assert self.application
        assert self._product
        counts = self.outcome == "approved"
        what = f"{self.outcome}: {show('app', self.application.id)}"
        return [
            Undertake(
                self.event, self._product.account, self.application.money, what, Claims(self.mandate_id),
                subject="loan", counts=counts,
            )
        ]  # fmt: skip

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Write the decision, if authority allowed it or asks people."""
        del event_id
        first = outcomes[0]
        if isinstance(first, Refused):
            return
        found, decision, now = self.application, self.decisions[-1], self._now
        assert found
        assert now
        if isinstance(first, PendingApproval):
            after = model.awaiting(found, first.approval_id, self.outcome, now)
        else:
            after = model.moved(found, self.outcome, now)
        note = f"{self.outcome} was decided" if after.approval_id else "A person must decide."
        if after.status == "review" and after.approval_id is None:
            after = after._replace(case_id=await ending.have_looked_at(tx, after, note, actor, self.ask.request_id))
        elif found.case_id:
            await ending.end_what_waits(tx, found, f"The application is {after.status}.", actor)
        store.insert_decision(tx, decision)
        facts: dict[str, Json] = {
            "decision": self.outcome,
            "inputs_hash": decision.inputs_hash.hex(),
            "waits_for": show("apr", after.approval_id) if after.approval_id else None,
        }
        await write(tx, after, "awaiting_approval" if after.approval_id else "decided", actor.principal_id, facts)
        happening = told(self.outcome if not after.approval_id else "awaiting_approval", after, **facts)
        events.record(tx, [event_of(new_id(), actor, self.ask.request_id, self.ask.action.name, happening)])
        self.application = after
