"""The statements of operators' security keys and of what these are asked to sign."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx


class Credential(NamedTuple):
    """A security key of an operator as it is known here. `public_key` is a COSE key."""

    id: bytes
    public_key: bytes
    sign_count: int


class Challenge(NamedTuple):
    """What an operator's security key is to sign once, until a moment."""

    nonce: bytes
    expires_at: datetime
    used_at: datetime | None


async def list_credentials(tx: Tx, operator_id: UUID) -> list[bytes]:
    """The ids of an operator's security keys, the oldest first."""
    return await tx.column(
        bytes,
        """SELECT id FROM operator_credential
           WHERE tenant_id = $1 AND operator_id = $2 AND removed_at IS NULL ORDER BY enrolled_at, id""",
        tx.tenant,
        operator_id,
    )


async def lock_credential(tx: Tx, operator_id: UUID, credential_id: bytes) -> Credential | None:
    """One security key of an operator, locked: two requests cannot count from one number."""
    return await tx.row(
        Credential,
        """SELECT id, public_key, sign_count FROM operator_credential
           WHERE tenant_id = $1 AND id = $2 AND operator_id = $3 AND removed_at IS NULL FOR UPDATE""",
        tx.tenant,
        credential_id,
        operator_id,
    )


async def insert_credential(tx: Tx, operator_id: UUID, credential: Credential) -> bool:
    """Keep a security key; False when there is one of this id, whosever."""
    found = await tx.row(
        bool,
        """INSERT INTO operator_credential (tenant_id, id, operator_id, public_key, sign_count)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING true""",
        tx.tenant,
        credential.id,
        operator_id,
        credential.public_key,
        credential.sign_count,
    )
    return bool(found)


def mark_signed(tx: Tx, credential_id: bytes, sign_count: int) -> None:
    """Write down how often a locked security key says it has signed."""
    tx.later(
        "UPDATE operator_credential SET sign_count = $3 WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        credential_id,
        sign_count,
    )


def remove_credentials(tx: Tx, operator_id: UUID) -> None:
    """Take all security keys of an operator out of use."""
    tx.later(
        """UPDATE operator_credential SET removed_at = clock_timestamp()
           WHERE tenant_id = $1 AND operator_id = $2 AND removed_at IS NULL""",
        tx.tenant,
        operator_id,
    )


async def write_challenge(tx: Tx, operator_id: UUID, subject_id: UUID, nonce: bytes, seconds: int) -> datetime:
    """Have an operator sign a nonce for a subject, in place of an earlier one; until when it is good."""
    return await tx.value(
        datetime,
        """INSERT INTO step_up_challenge AS c (tenant_id, operator_id, subject_id, nonce, expires_at)
           VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
           ON CONFLICT (tenant_id, operator_id, subject_id) DO UPDATE
           SET nonce = excluded.nonce, expires_at = excluded.expires_at, used_at = NULL
           RETURNING expires_at""",
        tx.tenant,
        operator_id,
        subject_id,
        nonce,
        float(seconds),
    )


async def lock_challenge(tx: Tx, operator_id: UUID, subject_id: UUID) -> Challenge | None:
    """What an operator is to sign for a subject, locked: it is used once."""
    return await tx.row(
        Challenge,
        """SELECT nonce, expires_at, used_at FROM step_up_challenge
           WHERE tenant_id = $1 AND operator_id = $2 AND subject_id = $3 FOR UPDATE""",
        tx.tenant,
        operator_id,
        subject_id,
    )


def mark_used(tx: Tx, operator_id: UUID, subject_ids: Sequence[UUID]) -> None:
    """Use up locked challenges."""
    tx.later(
        """UPDATE step_up_challenge SET used_at = clock_timestamp()
           WHERE tenant_id = $1 AND operator_id = $2 AND subject_id = ANY($3::uuid[])""",
        tx.tenant,
        operator_id,
        subject_ids,
    )
