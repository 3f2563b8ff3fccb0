"""The verbs of the outer sides: file statements and balance transactions; a second time adds nothing."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.reconciliation import line_store as store
from bursar.features.reconciliation.line_store import Filed, NewStatement
from bursar.features.reconciliation.lines import Format, Statement, identities
from bursar.features.reconciliation.provider import ProviderTransaction
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id


class Filing(NamedTuple):
    """What an import did: statements in the file, its lines, and how many of them were new."""

    statements: int
    lines: int
    new: int
    accounts: Sequence[str]


async def file_statements(
    tx: Tx, actor: Actor, source: str, format: Format, statements: Sequence[Statement]
) -> tuple[Filing, Happening]:
    """File statements; lines that were filed before, from whichever file, are left as they are."""
    new = 0
    for statement in statements:
        content = sha256(b"".join(identities(statement)) + repr(statement.number).encode()).digest()
        filed = NewStatement(new_id(), source, format, statement, content, actor.principal_id)
        if await store.insert_statement(tx, filed):
            new += await store.insert_lines(tx, filed)
    accounts = sorted({statement.account for statement in statements})
    filing = Filing(len(statements), sum(len(s.lines) for s in statements), new, accounts)
    facts: dict[str, Json] = {"format": format, "lines": filing.lines, "new": new, "source": source}
    return filing, Happening("bank_statement.imported", "filed", facts)


async def list_statements(tx: Tx, source: str | None, after: UUID | None, limit: int) -> list[Filed]:
    """Statements in the order of their filing."""
    return await store.list_statements(tx, source, after, limit)


async def file_transactions(tx: Tx, provider: str, found: Sequence[ProviderTransaction]) -> tuple[Filing, Happening]:
    """Keep a provider's balance transactions; those that are there already stay as they are."""
    new = await store.insert_transactions(tx, provider, found)
    facts: dict[str, Json] = {"lines": len(found), "new": new, "provider": provider}
    return Filing(1, len(found), new, []), Happening("provider_transactions.imported", "filed", facts)
