"""What commands print may be read in part."""

import os
import subprocess
import sys

import pytest

from tests.features.lending.banking import SAMPLE

SCORE = ["lending", "score", str(SAMPLE), "--mapping", "berka", "--json"]


@pytest.mark.parametrize("command", [["--version"], SCORE])
def test_a_reader_who_has_gone_is_no_error_to_tell_of(command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "bursar", *command], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (found.returncode, found.stderr) == (1, b"")
