"""Mappings of banks' lines that come with Bursar, and those that are files of somebody's own."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from bursar.features.reconciliation.csv_statement import CsvMapping, read_mapping
from bursar.kernel.refusal import InvalidArgument


def find_line_mapping(name: str) -> CsvMapping:
    """The mapping of a built-in name such as `berka`, or of the TOML or JSON file at that path."""
    built_in = files("bursar.features.reconciliation.line_mappings") / f"{name}.toml"
    if name.isidentifier() and built_in.is_file():
        return read_mapping(tomllib.loads(built_in.read_text(encoding="utf-8")))
    try:
        text = Path(name).read_text(encoding="utf-8")
        value: Any = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidArgument("mapping", f"is no built-in one and no TOML or JSON file: {error}") from None
    return read_mapping(value)
