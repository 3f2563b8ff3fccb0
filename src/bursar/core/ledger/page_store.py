"""The statements that write what was decided: balances, entries with their postings, holds."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from bursar.core.ledger.book import Page
from bursar.core.ledger.model import Hold
from bursar.core.ledger.rows import written
from bursar.kernel.db import Draft, Tx, once


def write(tx: Tx, page: Page) -> None:
    """Have stored what was decided: balances, entries with their postings, holds."""
    if page.accounts:
        _update_balances(tx, page)
    if page.entries:
        _insert_entries(tx, page)
    if page.holds:
        _write_holds(tx, list(page.holds.values()))


def _update_balances(tx: Tx, page: Page) -> None:
    """Nothing is inserted: the accounts are locked, so they are there.

    An UPDATE would join them, and while nobody has counted the table, the planner reads all of it for that; this finds
    each by its key: by the one with the currency, so that its postings need not ask for it again.
    """
    tx.later(
        """INSERT INTO account (tenant_id, id, currency, posted_minor, held_minor, version, number, name, normal_side)
           SELECT $1, *, '', '', 'debit'
           FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
           ON CONFLICT (tenant_id, id, currency) DO UPDATE
           SET posted_minor = excluded.posted_minor, held_minor = excluded.held_minor, version = excluded.version""",
        tx.tenant,
        *_columns([(account.id, account.currency, *account.balance) for account in page.accounts.values()], 5),
    )


def write_if_unchanged(draft: Draft, page: Page) -> None:
    """The same for postings decided on remembered accounts: all that were looked at must be as they were then.

    As in `_update_balances` nothing is inserted; `name` and `number` bring the version and the balance relied on. The
    version alone would not do: one that was counted on and never came has the number of another that did. A hold placed
    meanwhile leaves what is available above the floor, or the account refuses the balance.
    """
    # Accounts are locked in the order of their ids.
    before = sorted(page.book.accounts.values(), key=attrgetter("id.bytes"))
    ids, _, _, currencies, sides, floors, statuses, relied_on, _, _, upstreams = zip(*before, strict=True)
    after = [page.accounts.get(account.id, account).balance for account in before]
    draft.must(
        """INSERT INTO account AS a (tenant_id, id, posted_minor, version, name, number, status, normal_side,
                                     floor_minor, upstream, currency)
           SELECT gate.tenant_id, w.id, w.posted, w.version, w.name, w.number, coalesce(w.status, $7),
                  coalesce(w.normal_side, $9), coalesce(w.floor_minor, $11), coalesce(w.upstream, $13),
                  coalesce(w.currency, $15)
           FROM gate, unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $8::text[],
                             $10::bigint[], $12::text[], $14::text[])
                      w (id, posted, version, name, number, status, normal_side, floor_minor, upstream, currency)
           ON CONFLICT (tenant_id, id, currency) DO UPDATE
           SET posted_minor = excluded.posted_minor, version = excluded.version
           WHERE a.version = excluded.name::bigint AND a.posted_minor = excluded.number::bigint
             AND a.status = excluded.status
             AND a.floor_minor IS NOT DISTINCT FROM excluded.floor_minor
             AND a.upstream IS NOT DISTINCT FROM excluded.upstream
           RETURNING true""",
        ids,
        [balance.posted for balance in after],
        [balance.version for balance in after],
        [str(balance.version) for balance in relied_on],
        [str(balance.posted) for balance in relied_on],
        *once(statuses),
        *once(sides),
        *once(floors),
        *once(upstreams),
        *once(currencies),
        rows=len(before),
    )
    if page.entries:
        _insert_entries(draft, page)


def _insert_entries(tx: Tx, page: Page) -> None:
    """All of a page was recorded at one time, and most of it took effect then."""
    ids, kinds, events, reverses, holds, descriptions, metadata, effective, _ = zip(*page.entries, strict=True)
    tx.later(
        """INSERT INTO entry (tenant_id, recorded_at, id, event_id, kind, reverses_id, hold_id, description, metadata,
                              effective_at)
           SELECT $1, $2, w.id, w.event_id, coalesce(w.kind, $6), coalesce(w.reverses_id, $8),
                  coalesce(w.hold_id, $10), coalesce(w.description, $12), coalesce(w.metadata, $14),
                  coalesce(w.effective_at, $16)
           FROM unnest($3::uuid[], $4::uuid[], $5::text[], $7::uuid[], $9::uuid[], $11::text[], $13::jsonb[],
                       $15::timestamptz[])
                w (id, event_id, kind, reverses_id, hold_id, description, metadata, effective_at)""",
        tx.tenant,
        page.book.now,
        ids,
        events,
        *once(kinds),
        *once(reverses),
        *once(holds),
        *once(descriptions),
        *once([written(m) for m in metadata]),
        *once(effective),
    )
    entry_ids, seqs, sources, targets, currencies, amounts, *balances, effective = zip(*page.postings, strict=True)
    tx.later(
        """INSERT INTO posting (tenant_id, entry_id, source_id, target_id, amount_minor, source_version, source_balance,
                                target_version, target_balance, seq, currency, effective_at)
           SELECT $1, w.entry_id, w.source_id, w.target_id, w.amount_minor, w.source_version, w.source_balance,
                  w.target_version, w.target_balance, coalesce(w.seq, $11), coalesce(w.currency, $13),
                  coalesce(w.effective_at, $15)
           FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                       $9::bigint[], $10::int[], $12::text[], $14::timestamptz[])
                w (entry_id, source_id, target_id, amount_minor, source_version, source_balance, target_version,
                   target_balance, seq, currency, effective_at)""",
        tx.tenant,
        entry_ids,
        sources,
        targets,
        amounts,
        *balances,
        *once(seqs),
        *once(currencies),
        *once(effective),
    )


def _columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows turned into the arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _write_holds(tx: Tx, holds: Sequence[Hold]) -> None:
    """New holds are inserted; of known ones only status, captured amount, target and entry ever change."""
    tx.later(
        """INSERT INTO hold (tenant_id, id, account_id, target_id, currency, amount_minor, captured_minor, status,
                             description, metadata, placed_at, expires_at, entry_id, approval_id, owner_id)
           SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[],
                                    $8::text[], $9::text[], $10::jsonb[], $11::timestamptz[], $12::timestamptz[],
                                    $13::uuid[], $14::uuid[], $15::uuid[])
           ON CONFLICT (tenant_id, id) DO UPDATE SET target_id = excluded.target_id, status = excluded.status,
               captured_minor = excluded.captured_minor, entry_id = excluded.entry_id""",
        tx.tenant,
        *_columns(
            [
                (h.id, h.account_id, h.target_id, h.currency, h.amount_minor, h.captured_minor, h.status,
                 h.description, written(h.metadata), h.placed_at, h.expires_at, h.entry_id, h.approval_id,
                 h.owner_id)
                for h in holds
            ],
            14,
        ),
    )  # fmt: skip
