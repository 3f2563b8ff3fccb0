"""Whose provider is whose: an account at Stripe is one tenant's, and nobody else's."""

import pytest

from bursar.features.payments.model import UnknownProvider
from bursar.features.payments.registry import NO_PROVIDERS, Connection, Providers
from bursar.kernel.ids import new_id
from tests.features.payments.counter import Faulty

OURS, THEIRS = new_id(), new_id()
NOBODY: Faulty = object()  # pyright: ignore[reportAssignmentType] -- nobody calls it


def providers() -> Providers:
    return Providers(
        {"sandbox": Connection(lambda _: NOBODY), "stripe": Connection(lambda _: NOBODY, tenant_id=OURS)}
    )  # fmt: skip


def test_a_tenant_with_an_account_of_its_own_uses_it_where_none_is_named() -> None:
    assert providers().named(OURS, None) == "stripe"
    assert providers().named(OURS, "sandbox") == "sandbox"
    assert providers().named(THEIRS, None) == "sandbox"


def test_another_tenants_account_is_as_unknown_as_one_that_is_not_there() -> None:
    for name in ("stripe", "acme"):
        with pytest.raises(UnknownProvider):
            providers().named(THEIRS, name)
        with pytest.raises(UnknownProvider):
            providers().of(THEIRS, name)


def test_without_any_provider_none_can_be_meant() -> None:
    with pytest.raises(UnknownProvider):
        NO_PROVIDERS.named(OURS, None)
