"""A mapping is checked before it is used: what it says of a bank's files cannot be read in two ways."""

from pathlib import Path

import pytest

from bursar.features.reconciliation.mapping import find_mapping, read_mapping
from bursar.features.reconciliation.model import BadMapping, CannotReadFile, UnknownMapping

OWN = """
name = "own"
currency = "EUR"
delimiter = ","
quote = "'"
encoding = "cp1250"
date_format = "%d.%m.%Y"
credit = ["in"]
debit = ["out"]
columns = {reference = "no", account = "iban", date = "on", type = "way", amount = "sum", balance = "after"}
world = [{name = "banks", when = {bank = ["A", "B"]}}, {name = "other"}]
"""


def test_the_built_in_mapping_is_found_by_its_name() -> None:
    mapping = find_mapping("berka")
    assert (mapping.name, mapping.currency) == ("berka", "CZK")
    assert "trans_id" in mapping.needed_columns


def test_a_mapping_of_ones_own_is_found_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    mapping = find_mapping(str(path))
    assert mapping.name == "own"
    assert mapping.needed_columns == ["no", "iban", "on", "way", "sum", "after", "bank"]


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(UnknownMapping) as refused:
        find_mapping("barclays")
    assert "berka" in refused.value.detail


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"name = \xff")
    with pytest.raises(CannotReadFile):
        find_mapping(str(path))


@pytest.mark.parametrize(
    ("said", "instead", "fault"),
    [
        ('"own"', '"Own Bank"', "name"),
        ('"EUR"', '"EURO"', "currency is not an ISO 4217 currency code"),
        ('delimiter = ","', 'delimiter = ", "', "delimiter"),
        ('delimiter = ","', 'delimiter = "\'"', "delimiter and quote are the same"),
        ('"cp1250"', '"utf-16"', "encoding must be a text encoding"),
        ('"cp1250"', '"rot13"', "encoding must be a text encoding"),
        ('"cp1250"', '"klingon"', "encoding must be a text encoding"),
        ('"%d.%m.%Y"', '"%d.%m."', "date_format must name day, month and year"),
        ('"%d.%m.%Y"', '"%"', "date_format must name day, month and year"),
        ('["out"]', "[]", "debit"),
        ('["out"]', '["in"]', "a type means both credit and debit"),
        ('["out"]', '"out"', "debit"),
        ('reference = "no"', 'reference = ""', "columns.reference"),
        ('reference = "no", ', "", "columns.reference"),
        ('reference = "no"', 'reference = "no", memo = "text"', "columns.memo"),
        ('name = "banks"', 'name = "banks:EUR"', "world.0.name"),
        ('["A", "B"]', "[]", "world.0.when.bank"),
        ('["A", "B"]', "[1]", "world.0.when.bank.0"),
        ('name = "own"', "name = own", "Invalid value"),
    ],
)
def test_a_faulty_mapping_is_refused_with_its_fault(said: str, instead: str, fault: str) -> None:
    assert said in OWN
    with pytest.raises(BadMapping) as refused:
        read_mapping(OWN.replace(said, instead, 1))
    assert fault in refused.value.detail


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadMapping) as refused:
        read_mapping(OWN.replace('"EUR"', '"EURO"').replace('"cp1250"', '"klingon"'))
    assert len(refused.value.faults) == 2
