"""An office at work on a fresh tenant."""

from pathlib import Path
from uuid import UUID

import pytest

from bursar.kernel.db import Database
from tests.statements import Office


@pytest.fixture
def office(database: Database, tenant_id: UUID, tmp_path: Path) -> Office:
    return Office(database, tenant_id, tmp_path)
