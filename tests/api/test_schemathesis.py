"""Schemathesis reads the OpenAPI document and tries to find the service doing anything that it does not say."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bursar.kernel.ids import new_id
from tests.api.stock import Stock
from tests.api.tenants import Tenant
from tests.served import serving

CONFIG = Path(__file__).with_name("schemathesis.toml")
# How many of each thing it may use up.
SUPPLY = 20


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    with serving(database_url=database_url) as served:
        yield served.url


@pytest.fixture
async def directory(client: httpx2.AsyncClient, tenant: Tenant, tmp_path: Path) -> Path:
    """Where Schemathesis finds its configuration and the names of things that are there."""
    stock = Stock(client, tenant)
    # What the examples of the document name.
    accounts, agents = ["ACC10001", "ACC20002", "world:funding:USD"], ["agent_001", "agent_007"]
    for number in accounts[:2]:
        await stock.made("/v1/accounts", {"number": number, "name": "An example", "currency": "USD"})
        funds = {"source": "world:funding:USD", "target": number, "amount": "1000000", "currency": "USD"}
        await stock.made("/v1/transfers", funds)
    await stock.made("/v1/agents", {"name": "agent_001"})
    things = {
        "accounts": [*accounts, *[await stock.account() for _ in range(SUPPLY)]],
        "agents": [*agents, *[await stock.agent() for _ in range(SUPPLY)]],
        "intents": [new_id().hex for _ in range(10_000)],
        "holds": [await stock.hold() for _ in range(SUPPLY)],
        "jobs": [await stock.job() for _ in range(SUPPLY)],
        "keys": [await stock.key() for _ in range(SUPPLY)],
        "transfers": [await stock.transfer() for _ in range(SUPPLY)],
    }
    for name, values in things.items():
        (tmp_path / f"{name}.txt").write_text("".join(f'"{value}"\n' for value in values))
    shutil.copy(CONFIG, tmp_path)
    return tmp_path


async def test_the_service_does_what_its_document_says(url: str, tenant: Tenant, directory: Path) -> None:
    report = attack(url, tenant, directory, seconds=16)
    assert report["test_cases"]["generated"] > 300


@pytest.mark.soak
async def test_the_service_does_what_its_document_says_for_a_minute(url: str, tenant: Tenant, directory: Path) -> None:
    report = attack(url, tenant, directory, seconds=60)
    assert report["test_cases"]["generated"] > 1_500


def attack(url: str, tenant: Tenant, directory: Path, seconds: int) -> Any:
    """Have Schemathesis try every operation for so long and find nothing; returns what it reports."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG.name, "run", f"{url}/openapi.json"),
        *("--header", f"Authorization: Bearer {tenant.operator}", "--max-time", str(seconds), "--no-color"),
        *("--report-json-path", "report.json"),
    ]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=seconds + 60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads((directory / "report.json").read_text())
    assert report["operations"]["tested"] == report["operations"]["total"] >= 31
    assert report["failures"] == report["errors"] == []
    return report
