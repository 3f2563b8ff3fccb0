"""The statements that write what was decided: balances, entries with their postings, holds."""

from collections.abc import Iterable, Sequence

from bursar.core.ledger.book import Page
from bursar.core.ledger.model import Account, Entry, Hold, Posting
from bursar.core.ledger.rows import written
from bursar.kernel.db import Draft, Tx


def write(tx: Tx, page: Page) -> None:
    """Have stored what was decided: balances, entries with their postings, holds."""
    if page.balances:
        _update_balances(tx, page)
    if page.entries:
        _insert_entries(tx, page.entries, page.postings)
    if page.holds:
        _write_holds(tx, list(page.holds.values()))


def _update_balances(tx: Tx, page: Page) -> None:
    """Nothing is inserted: the accounts are locked, so they are there.

    An UPDATE would join them, and while nobody has counted the table, the planner reads all of it for that; this finds
    each by its key: by the one with the currency, which the foreign keys of its postings go by at once.
    """
    balances = page.balances
    tx.later(
        """INSERT INTO account (tenant_id, id, currency, posted_minor, held_minor, version, number, name, normal_side)
           SELECT $1, *, '', '', 'debit'
           FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
           ON CONFLICT (tenant_id, id, currency) DO UPDATE
           SET posted_minor = excluded.posted_minor, held_minor = excluded.held_minor, version = excluded.version""",
        tx.tenant,
        list(balances),
        [page.book.accounts[account_id].currency for account_id in balances],
        *_columns(balances.values(), 3),
    )


def write_if_unchanged(draft: Draft, page: Page) -> None:
    """The same for postings decided on remembered accounts: all that were looked at must be as they were then.

    As in `_update_balances` nothing is inserted; `name` and `number` bring the version and the balance relied on. The
    version alone would not do: one that was counted on and never came has the number of another that did. A hold placed
    meanwhile leaves what is available above the floor, or the account refuses the balance.
    """
    before = sorted(page.book.accounts.values(), key=_in_order)
    after = [page.balance(account.id) for account in before]
    draft.must(
        """INSERT INTO account AS a (tenant_id, id, posted_minor, version, name, number, status, normal_side,
                                     floor_minor, upstream, currency)
           SELECT gate.tenant_id, w.*
           FROM gate, unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::bigint[], $9::text[], $10::text[]) w
           ON CONFLICT (tenant_id, id, currency) DO UPDATE
           SET posted_minor = excluded.posted_minor, version = excluded.version
           WHERE a.version = excluded.name::bigint AND a.posted_minor = excluded.number::bigint
             AND a.status = excluded.status
             AND a.floor_minor IS NOT DISTINCT FROM excluded.floor_minor
             AND a.upstream IS NOT DISTINCT FROM excluded.upstream
           RETURNING true""",
        [account.id for account in before],
        [balance.posted for balance in after],
        [balance.version for balance in after],
        [str(account.balance.version) for account in before],
        [str(account.balance.posted) for account in before],
        *_columns(((a.status, a.normal_side, a.floor_minor, a.upstream, a.currency) for a in before), 5),
        rows=len(before),
    )
    if page.entries:
        _insert_entries(draft, page.entries, page.postings)


def _in_order(account: Account) -> bytes:
    """Accounts are locked in the order of their ids."""
    return account.id.bytes


def _insert_entries(tx: Tx, entries: Sequence[Entry], postings: Sequence[Posting]) -> None:
    tx.later(
        """INSERT INTO entry (tenant_id, id, kind, event_id, reverses_id, hold_id, description, metadata,
                              effective_at, recorded_at)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                                    $8::jsonb[], $9::timestamptz[], $10::timestamptz[])""",
        tx.tenant,
        *_columns(
            (
                (e.id, e.kind, e.event_id, e.reverses_id, e.hold_id, e.description, written(e.metadata),
                 e.effective_at, e.recorded_at)
                for e in entries
            ),
            9,
        ),
    )  # fmt: skip
    tx.later(
        """INSERT INTO posting (tenant_id, entry_id, seq, source_id, target_id, currency, amount_minor,
                                source_version, source_balance, target_version, target_balance, effective_at)
           SELECT $1, * FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[],
                                    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::timestamptz[])""",
        tx.tenant,
        *_columns(postings, 11),
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
