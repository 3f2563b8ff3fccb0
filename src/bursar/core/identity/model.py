"""Principals, scopes and what a request says of its caller."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

from bursar.kernel.canonical import Json
from bursar.kernel.ids import show
from bursar.kernel.refusal import Conflict, Forbidden, Retry, Unauthorized

PrincipalKind = Literal["agent", "operator", "service"]
PrincipalStatus = Literal["active", "suspended"]

# resource:verb; a key says who, and with its scopes which verbs at all. How much is the mandate's matter.
Scope = Literal[
    "accounts:read",
    "accounts:write",
    "accounts:freeze",
    "accounts:unfreeze",
    "accounts:close",
    "accounts:upstream",
    "transfers:read",
    "transfers:create",
    "transfers:reverse",
    "holds:read",
    "holds:create",
    "holds:capture",
    "holds:release",
    "events:read",
    "agents:read",
    "agents:write",
    "keys:read",
    "keys:write",
    "world:move",
    "mandates:read",
    "mandates:write",
    "mandates:request",
    "counterparties:read",
    "counterparties:write",
    "approvals:read",
    "approvals:cancel",
    "approvals:decide",
    "freezes:read",
    "freezes:write",
    "freezes:self",
    "freezes:resume",
    "risk:read",
    "risk:write",
    "payments:read",
    "payments:create",
    "payments:capture",
    "payments:cancel",
    "payments:refund",
    "payments:settle",
    "payouts:create",
    "customers:read",
    "customers:write",
    "cases:read",
    "cases:note",
    "cases:write",
    "jobs:read",
    "jobs:create",
    "jobs:work",
    "jobs:define",
    "webhooks:read",
    "webhooks:write",
    "reconciliation:read",
    "reconciliation:write",
    "lending:read",
    "lending:write",
    "applications:read",
    "applications:write",
    "applications:decide",
    "loans:read",
    "loans:disburse",
    "loans:repay",
    "loans:adjust",
    "portfolio:read",
    "collections:read",
    "collections:work",
    "collections:rule",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# What no agent's key may ever hold, whoever hands it out.
HUMAN_ONLY: frozenset[str] = frozenset(
    {
        "accounts:freeze",
        "accounts:unfreeze",
        "accounts:close",
        # Whose money it is there, nobody here can see.
        "accounts:upstream",
        "agents:write",
        "keys:read",
        "keys:write",
        "world:move",
        "mandates:write",
        "counterparties:write",
        "approvals:decide",
        "freezes:write",
        "freezes:resume",
        # Whoever knows the thresholds can stay below them.
        "risk:read",
        "risk:write",
        # Agents note what they know; people open, assign and settle.
        "cases:write",
        # What to make of a provider that contradicts itself.
        "payments:settle",
        # Which steps there are, and whom they keep apart, is what agents are held to.
        "jobs:define",
        # An endpoint carries what happens out of the house.
        "webhooks:read",
        "webhooks:write",
        "reconciliation:write",
        # Terms and the policy that decisions are held against.
        "lending:write",
        # To forgive, to stretch and to give up what is owed, and to stop its clock.
        "loans:adjust",
        # An agent sees the loans that it took in or decided, not the whole book.
        "portfolio:read",
        # When and in which words borrowers are reminded, and that a promise counts no more.
        "collections:rule",
    }
)
AGENT_SCOPES: tuple[Scope, ...] = tuple(s for s in SCOPES if s not in HUMAN_ONLY)


def scopes_for(kind: PrincipalKind) -> tuple[Scope, ...]:
    """All scopes that a key of this kind of principal can have."""
    return AGENT_SCOPES if kind == "agent" else SCOPES


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who can act."""

    id: UUID
    kind: PrincipalKind
    name: str
    status: PrincipalStatus
    created_at: datetime
    team: str | None = None
    roles: tuple[str, ...] = ()


class KeyCredential(NamedTuple):
    """An API key as a request carries it: the tenant and key it names, and the SHA-256 of its secret."""

    tenant_id: UUID
    key_id: int
    secret_hash: bytes


class SandboxCredential(NamedTuple):
    """The sandbox takes an agent's name for granted; it is enrolled when it first acts."""

    tenant_id: UUID
    agent_name: str


Credential: TypeAlias = KeyCredential | SandboxCredential


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as the transaction found them."""

    tenant_id: UUID
    principal_id: UUID
    kind: PrincipalKind
    name: str
    key_id: int | None
    scopes: frozenset[str]
    # The group an agent belongs to, and what an operator may decide.
    team: str | None = None
    roles: frozenset[str] = frozenset()
    # How the record names them.
    shown: Mapping[str, Json] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Said once: many events of a batch are of one actor."""
        shown = {
            "id": show("prn", self.principal_id),
            "key": None if self.key_id is None else show_key_id(self.key_id),
            "kind": self.kind,
            "name": self.name,
        }
        object.__setattr__(self, "shown", shown)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: int
    principal_id: UUID
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def show_key_id(key_id: int) -> str:
    """A key's id on the wire: `key_` and 16 hexadecimal digits."""
    return f"key_{key_id:016x}"


def read_key_id(text: str) -> int | None:
    """The id behind `key_…`, or None for any other text."""
    # The first digit is at most 7: an id has 63 bits.
    found = re.fullmatch("key_([0-7][0-9a-f]{15})", text)
    return int(found[1], 16) if found else None


class Unauthenticated(Unauthorized):
    """No valid API key came with the request."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Send a valid key as `Authorization: Bearer bk_…`."


class AgentSuspended(Forbidden):
    """This agent is suspended."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator; retrying does not help."


class ScopeMissing(Forbidden):
    """The key lacks the scope for this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator for a key with this scope."

    def __init__(self, scope: str) -> None:
        """The scope that is needed."""
        super().__init__(scope)
        self.scope = scope

    @property
    def detail(self) -> str:
        """Which scope."""
        return f"This needs the scope {self.scope}. Nothing was done."


class NameTaken(Conflict):
    """Another principal of this tenant has this name."""

    next: ClassVar[str] = "Choose another name, or use the one that exists."

    @property
    def code(self) -> str:
        """A clash of names is a state conflict."""
        return "state_conflict"


class TwoKeysActive(Conflict):
    """This principal already has two active keys."""

    next: ClassVar[str] = "Revoke one of them first: two are for rotation, more would be forgotten."

    @property
    def code(self) -> str:
        """Too many keys is a state conflict."""
        return "state_conflict"
