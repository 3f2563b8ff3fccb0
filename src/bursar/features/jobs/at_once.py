"""A payment of one agent as a job: initiated, claimed and reserved in one transaction, and paid by a second call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bursar.core.authority.model import Begun, PendingApproval, Told
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.orders import Order, PlaceHold
from bursar.core.ledger.outcomes import Done
from bursar.features.jobs import machine, service, store, through, trail_store
from bursar.features.jobs.definition import AT_ONCE, built_in
from bursar.features.jobs.model import LEASE_SECONDS, Job, Share
from bursar.features.jobs.service import Draft
from bursar.features.jobs.sharing import Wanted
from bursar.features.jobs.through import Cause
from bursar.features.jobs.trail_store import NewEffect
from bursar.features.payments import people, people_store
from bursar.features.payments.intents import Intent, ready_accounts
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money, show_minor
from bursar.kernel.refusal import InvalidArgument, UnknownObject

RESERVED = "reserved"
_CARD = "sandbox_ok"
_MOST_METHODS = 100


def wallet(currency: str) -> str:
    """The number of the account that agents are paid to and pay from here."""
    return f"wallet:{currency}"


def paid(currency: str) -> str:
    """The number of the account that agents pay to here."""
    return f"paid:{currency}"


def _nobody(_: Actor) -> None:
    """Everybody may."""


@dataclass(slots=True)
class _AtOnce(Intent):
    """What both have in common: which agent it is for and how much."""

    agent: str = ""
    money: Money = field(default_factory=lambda: Money(0, "USD"))
    job_id: UUID = field(default_factory=new_id)
    event: UUID = field(default_factory=new_id)
    # Refuses who may not have it all done: then nothing is begun.
    refuse: Callable[[Actor], None] = _nobody

    async def _ready(self, tx: Tx, actor: Actor) -> None:
        self.refuse(actor)
        if actor.kind != "agent" and await identity.find_agent_or_none(tx, self.agent) is None:
            raise UnknownObject("agent")
        currency = self.money.currency
        wanted = {wallet(currency): "Wallet of the agents", paid(currency): "Paid by agents"}
        known = await accounts.ids_of(tx, list(wanted))
        new = [OpenAccount(number, name, currency) for number, name in wanted.items() if number not in known]
        if new:
            await accounts.open_many(tx, new)

    async def _job(self, tx: Tx, actor: Actor, wanted: Wanted) -> tuple[Job, Share]:
        """The job, with its step claimed by whoever initiates it."""
        amount = show_minor(self.money.minor, self.money.currency)
        draft = Draft(AT_ONCE, None, self.money.currency, amount, [wanted], self.agent, None)
        job = await service.create(tx, actor, draft, self.job_id)
        found = await service.locked(tx, job.id)
        moved = machine.claimed(found.job, actor.principal_id, found.now, LEASE_SECONDS)
        await service.write(tx, found.job, moved)
        return moved.job, (await trail_store.list_shares(tx, [job.id]))[0][1]


@dataclass(slots=True)
class Reserving(_AtOnce):
    """Funds are held for an agent until it marks them as paid."""

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Open the accounts where they are not there yet."""
        await self._ready(tx, actor)
        return None

    def orders(self, actor: Actor) -> list[Order]:
        """The hold, which belongs to the job that is to be."""
        del actor
        currency = self.money.currency
        hold = PlaceHold(
            new_id(), self.event, wallet(currency), paid(currency), self.money,
            metadata={"job": show("job", self.job_id)}, owner_id=self.job_id,
        )  # fmt: skip
        return [hold]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """The job, whose reserve is done or waits for a person."""
        del event_id
        told, currency = outcomes[0], self.money.currency
        if not isinstance(told, Done | PendingApproval):
            return
        job, _ = await self._job(tx, actor, Wanted(wallet(currency), paid(currency), 1))
        assert job.token
        if isinstance(told, PendingApproval):
            moved = machine.awaiting(job, actor, job.token, told.approval_id, job.changed_at)
        else:
            assert told.hold
            doers = [("initiate", actor.principal_id)]
            moved = machine.passed(
                job, built_in()[AT_ONCE], actor.principal_id, doers, job.changed_at, None
            )  # fmt: skip
            trail_store.insert_effects(tx, job.id, [NewEffect(job.step, 1, "reserved", told.hold.id, None)])
        await service.write(tx, job, moved)


@dataclass(slots=True)
class Taking(_AtOnce):
    """A payment is taken from whoever pays for an agent: begun here, then the provider is called."""

    provider: str = ""
    _method_id: UUID | None = None

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Open the accounts, and find the customer of the agent's name and their card."""
        if before := await self.begun_before(tx, actor):
            assert self.attempt
            assert self.attempt.job_id
            self.job_id = self.attempt.job_id
            return before
        await self._ready(tx, actor)
        self.providers.refuse_if_down(self.provider)
        await ready_accounts(tx, self.provider, self.money.currency)
        customer_id = await people.customer_called(tx, actor, self.agent)
        methods = await people_store.list_methods(tx, customer_id, None, _MOST_METHODS)
        own = [m.id for m in methods if (m.provider, m.kind) == (self.provider, "card")]
        if not own and self.provider != "sandbox":
            raise InvalidArgument("agent_id", "there is no card of a customer with this external id; enter one first")
        if not own:
            own = [await people.method_called(tx, actor, self.provider, _CARD, customer_id)]
        self._method_id = own[0]
        return None

    def orders(self, actor: Actor) -> list[Order]:
        """Limits are used as if it were spent, as for any payment."""
        del actor
        return [through.undertaking(self.event, wallet(self.money.currency), self.money, self._method_id)]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """The job, whose step waits for the provider, and the call."""
        told, claim = outcomes[0], self.ask.claim
        if not isinstance(told, Done | PendingApproval):
            return
        target = wallet(self.money.currency)
        job, share = await self._job(tx, actor, Wanted(None, target, 1, self._method_id))
        assert job.token
        await service.write(tx, job, machine.paying(job, actor, job.token, job.changed_at, None))
        approval_id = told.approval_id if isinstance(told, PendingApproval) else None
        cause = Cause(event_id, actor.principal_id, approval_id)
        asked = (self.claim_id(actor), claim.request_hash) if claim else None
        self.attempt = await through.begin(tx, job, share, "charge", cause, self.now, asked)


async def lock_payable(tx: Tx, agent: str) -> UUID | None:
    """The oldest job for an agent, of its own or of people's, whose funds are reserved and that nobody is paying."""
    principal = await identity.find_agent_or_none(tx, agent)
    return await store.lock_reserved(tx, AT_ONCE, RESERVED, agent, principal.id if principal else None)
