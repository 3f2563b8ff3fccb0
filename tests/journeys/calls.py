"""Calls of the client to a server that is not to be relied on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bursar.client import Bursar, CallFailed
from bursar.wire.transfers import Transfer
from tests.journeys.unsteady import (
    Unsteady,
    unsteady,
)


@asynccontextmanager
async def calling(*script: bytes, **options: Any) -> AsyncGenerator[tuple[Bursar, Unsteady]]:
    async with unsteady(*script) as server, Bursar(server.address, "bk_test_key", **options) as bursar:
        yield bursar, server


async def pay(bursar: Bursar, amount: Any = "1.00", key: str = "k1") -> Transfer:
    return await bursar.create_transfer(source="a", target="b", amount=amount, currency="USD", idempotency_key=key)


async def failure_of(bursar: Bursar) -> CallFailed:
    with pytest.raises(CallFailed) as raised:
        await pay(bursar)
    return raised.value
