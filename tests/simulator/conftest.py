"""One simulator for the tests of a file, as new for each of them and with its clock held."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulated import Receiver, Simulated, receiving, simulating


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    directory: Path = tmp_path_factory.mktemp("simulator")
    with simulating(directory) as started:
        yield started


@pytest.fixture
def simulator(process: Simulated) -> Iterator[Simulated]:
    """At the end its books must agree with themselves."""
    process.control("POST", "reset")
    process.control("POST", "clock", hold=True)
    yield process
    process.books()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made
