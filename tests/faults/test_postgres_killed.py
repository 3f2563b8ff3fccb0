"""PostgreSQL dies under load: what was acknowledged is there, once; what was not comes to its end by the same key."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bursar.kernel.embedded import EmbeddedPostgres
from tests.faults import power
from tests.faults.clients import Clients
from tests.faults.ledgers import check
from tests.served import serving

# What the sandbox's second account opens with, in cents.
OPENING = 500_000

FAULTS: dict[str, Callable[[Path], object]] = {
    "all of it killed": power.cut,
    "one process killed": power.kill_a_backend,
    "stopped": power.stop,
}


async def clients_live_through(data: Path, fault: Callable[[Path], object], times: int) -> Clients:
    """Clients of a sandbox go on sending while its server dies so often; then their answers and the books agree."""
    with serving(data=data) as served:
        clients = Clients(served.url)
        running = asyncio.create_task(clients.run())
        for _ in range(times):
            await clients.after(random.randint(50, 250))
            fault(data)
        await clients.after(50)
        clients.stop()
        await running
        # The service is the server's one user; this is another, who looks while both are there.
        with EmbeddedPostgres(data) as server:
            await check(server.start(), clients.told, OPENING)
    assert clients.statuses <= {200, 409, 503}
    return clients


# The others are tried in the middle of batches on every change, and all of them in the soak.
@pytest.mark.parametrize("fault", [FAULTS["stopped"]])
async def test_nothing_acknowledged_is_lost_and_nothing_done_twice(
    tmp_path: Path, fault: Callable[[Path], object]
) -> None:
    clients = await clients_live_through(tmp_path, fault, times=2)
    assert clients.lost + clients.refused > 0


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_nothing_acknowledged_is_lost_in_ten_cycles(tmp_path: Path, fault: Callable[[Path], object]) -> None:
    clients = await clients_live_through(tmp_path, fault, times=10)
    assert len(clients.told) > 500
