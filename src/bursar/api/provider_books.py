"""A provider's own books, handed to reconciliation: payments and reconciliation do not know each other."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from bursar.features.payments.model import ProviderUnavailable
from bursar.features.payments.ports import Malformed, NotSent, OutcomeUnknown, ProviderRefused
from bursar.features.payments.registry import Providers
from bursar.features.reconciliation.provider import ProviderTransaction
from bursar.kernel.refusal import InvalidArgument

MOST_DAYS = 31
# What a provider lists page by page while somebody waits.
MOST_TRANSACTIONS = 20_000


async def list_transactions(
    providers: Providers, tenant_id: UUID, name: str, first: date, last: date
) -> list[ProviderTransaction]:
    """All that a provider has booked on these days of UTC, oldest first; it is asked in no transaction."""
    if not 0 <= (last - first).days < MOST_DAYS:
        raise InvalidArgument("last_day", f"must come at or after first_day, by less than {MOST_DAYS} days")
    provider = providers.of(tenant_id, name)
    since, until = _midnight(first), _midnight(last + timedelta(days=1))
    try:
        found = await provider.list_balance_transactions(since, until, None, MOST_TRANSACTIONS + 1)
    except (NotSent, OutcomeUnknown, Malformed, ProviderRefused) as error:
        raise ProviderUnavailable(name) from error
    if len(found) > MOST_TRANSACTIONS:
        raise InvalidArgument(
            "last_day", f"there are more than {MOST_TRANSACTIONS} transactions; choose a shorter period"
        )
    return [
        ProviderTransaction(
            one.reference, one.kind, one.at.astimezone(UTC).date(), one.currency, one.net_minor + one.fee_minor,
            one.fee_minor, one.effect.about if one.effect else None,
        )
        for one in found
    ]  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
