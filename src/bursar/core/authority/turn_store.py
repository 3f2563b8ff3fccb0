"""The statements that tell whether anybody else has decided meanwhile, or changed what is decided by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.facts import Meter, Used
from bursar.core.authority.facts_store import Counterparty
from bursar.kernel.db import Database, Draft, Tx

# A limit, and the first piece of time that still counts.
Since: TypeAlias = tuple[UUID, str, UUID, datetime]


class Piece(NamedTuple):
    """What is used of a limit in one piece of time, and how often some of it was given back."""

    amount_minor: int
    uses: int
    given_back: int


async def find_rulebook(tx: Tx) -> int | None:
    """The version of all that agents' requests are decided by; None where nothing was ever given to them."""
    return await tx.row(int, "SELECT version FROM rulebook WHERE tenant_id = $1", tx.tenant)


async def list_turns(tx: Tx, mandate_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Who decided last under each of these mandates."""
    return dict(
        await tx.pairs(
            "SELECT id, turn FROM mandate WHERE tenant_id = $1 AND id = ANY($2::uuid[])", tx.tenant, mandate_ids
        )
    )


async def look_up(
    database: Database, tenant_id: UUID, limits: Sequence[Since], account_ids: Sequence[UUID]
) -> tuple[dict[Since, dict[datetime, Piece]], dict[UUID, Counterparty]]:
    """In one round trip what is used of each piece of these limits, and who the payees behind accounts are.

    What is not there is left out. As in `facts_store.look_up` each part has one way to go.
    """
    used: dict[Since, dict[datetime, Piece]] = {}
    payees: dict[UUID, Counterparty] = {}
    rows = await database.look(
        tenant_id,
        _row,
        """SELECT w.i, u.bucket, u.amount_minor, u.uses, u.given_back, NULL::uuid, NULL::uuid, NULL::text, NULL::text
           FROM gate CROSS JOIN unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[]) WITH ORDINALITY
                w (mandate_id, window_key, payee_id, since, i)
           CROSS JOIN LATERAL (
               SELECT bucket, amount_minor, uses, given_back FROM limit_usage
               WHERE tenant_id = gate.tenant_id AND mandate_id = w.mandate_id AND window_key = w.window_key
                 AND payee_id = w.payee_id AND bucket >= w.since OFFSET 0) u
           UNION ALL
           SELECT NULL, c.created_at, c.version, NULL, NULL, c.id, c.account_id, c.name, c.status
           FROM gate CROSS JOIN unnest($5::uuid[]) w (account_id)
           CROSS JOIN LATERAL (
               SELECT id, account_id, name, status, version, created_at FROM counterparty
               WHERE tenant_id = gate.tenant_id AND account_id = w.account_id LIMIT 1) c""",
        *([list(column) for column in zip(*limits, strict=True)] or ([],) * 4),
        account_ids,
    )
    for number, (at, first, second, third, id, account_id, name, status) in rows:
        if number:
            used.setdefault(limits[number - 1], {})[at] = Piece(first, second, third)
        else:
            payees[account_id] = Counterparty(id, account_id, name, status, first, at)
    return used, payees


def _row(number: int | None, *columns: Any) -> tuple[int | None, tuple[Any, ...]]:
    return number, columns


def take_turn(tx: Tx, mandate_ids: Sequence[UUID], turn: UUID) -> None:
    """Say that something was decided under these mandates, which the transaction has locked.

    Nothing is inserted; each is found by its key, as in `page_store`.
    """
    tx.later(
        """INSERT INTO mandate (tenant_id, id, turn, version, name, status, terms, granted_by)
           SELECT $1, id, $3, 0, '', 'draft', '', id FROM unnest($2::uuid[]) w (id)
           ON CONFLICT (tenant_id, id) DO UPDATE SET turn = excluded.turn""",
        tx.tenant,
        mandate_ids,
        turn,
    )


def take_turn_if(draft: Draft, before: Mapping[UUID, UUID], turn: UUID) -> None:
    """The same for mandates that are not locked yet: nobody may have decided under them since `before`.

    Until the end nobody else does; they are locked in the order of their ids. `name` brings what was before.
    """
    mandate_ids = sorted(before)
    draft.must(
        """INSERT INTO mandate AS m (tenant_id, id, turn, version, name, status, terms, granted_by)
           SELECT gate.tenant_id, w.id, $3, 0, w.before, 'draft', '', w.id
           FROM gate, unnest($1::uuid[], $2::text[]) w (id, before)
           ON CONFLICT (tenant_id, id) DO UPDATE SET turn = excluded.turn WHERE m.turn = excluded.name::uuid
           RETURNING true""",
        mandate_ids,
        [str(before[mandate_id]) for mandate_id in mandate_ids],
        turn,
        rows=len(before),
    )


def use_if(draft: Draft, more: Mapping[Meter, Used], given_back: Mapping[Meter, int]) -> None:
    """Add to what is used, if of none of it anything was given back more often than this."""
    rows = [(*meter, *more[meter], given_back[meter]) for meter in sorted(more)]
    draft.must(
        """INSERT INTO limit_usage AS u (tenant_id, mandate_id, window_key, payee_id, bucket, amount_minor, uses,
                                         given_back)
           SELECT gate.tenant_id, w.*
           FROM gate, unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[],
                             $7::bigint[]) w
           ON CONFLICT (tenant_id, mandate_id, window_key, payee_id, bucket) DO UPDATE
           SET amount_minor = u.amount_minor + excluded.amount_minor, uses = u.uses + excluded.uses
           WHERE u.given_back = excluded.given_back
           RETURNING true""",
        *(list(column) for column in zip(*rows, strict=True)),
        rows=len(rows),
    )


def rulebook_must_stand(draft: Draft, version: int) -> None:
    """What is decided by must be as it was; whoever changes it waits."""
    draft.must(
        """SELECT r.version FROM gate CROSS JOIN LATERAL (
               SELECT version FROM rulebook WHERE tenant_id = gate.tenant_id FOR SHARE) r
           WHERE r.version = $1::bigint""",
        version,
        rows=1,
    )


def must_be_first(draft: Draft, payments: Sequence[tuple[UUID, datetime]]) -> None:
    """No payment of these fingerprints may have been let go, or wait, since the moment beside each.

    Whoever decides on one takes a turn of its mandates, so none can come while this is written.
    """
    fingerprints, since = zip(*payments, strict=True)
    draft.must(
        """SELECT true FROM gate CROSS JOIN unnest($1::uuid[], $2::timestamptz[]) w (fingerprint, since)
           CROSS JOIN LATERAL (
               SELECT decided_at FROM decision
               WHERE tenant_id = gate.tenant_id AND fingerprint = w.fingerprint ORDER BY decided_at DESC LIMIT 1) d
           WHERE d.decided_at >= w.since""",
        fingerprints,
        since,
        rows=0,
    )
