"""Rules are read strictly and written in one form, so that a version means the same for ever."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given

from bursar.features.risk.ruleset import DEFAULT_RULES, RuleSet, read_rules, write_rules
from bursar.kernel.canonical import digest
from bursar.kernel.refusal import InvalidArgument
from tests.features.risk.payments import rulesets

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "risk.md"
GOOD = (files("bursar.features.risk") / "rules" / "1.json").read_text()


@given(rulesets())
def test_what_is_written_reads_as_the_same_rules(rules: RuleSet) -> None:
    assert read_rules(write_rules(rules)) == rules


def test_the_order_and_spacing_of_a_text_do_not_matter() -> None:
    turned = dict(reversed(json.loads(GOOD).items()))
    assert write_rules(read_rules(json.dumps(turned, indent=4))) == write_rules(DEFAULT_RULES)


def test_a_version_that_was_released_stays_as_it_is() -> None:
    """Decisions are replayed with the version they were made with: change weights in a new file, not in this one."""
    assert (
        digest(DEFAULT_RULES.model_dump()).hex() == "872b4d9c926ac1b867b86015a9f5f0b110a03c5f7a33ee40855afc4476712f1d"
    )


def test_the_guide_shows_the_rules_that_are_shipped() -> None:
    shown = [block for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL) if "outcomes" in block]
    assert [read_rules(block) for block in shown] == [DEFAULT_RULES]


@pytest.mark.parametrize(
    ("said", "instead", "fault"),
    [
        ('"points": 20', '"points": 101', "new_payee.points"),
        ('"points": 20', '"points": -1', "new_payee.points"),
        ('"points": 20', '"points": 20.0', "new_payee.points"),
        ('"points": 20', '"points": "20"', "new_payee.points"),
        ('"points": 20', '"points": 20, "memo": 1', "new_payee.memo"),
        ('"version": 1', '"version": 0', "version"),
        ('"version": 1,', "", "version"),
        ('"full_at": 180', '"full_at": 60', "dormant above must be less than full_at"),
        ('"near_percent": 90', '"near_percent": 0', "structuring.near_percent"),
        ('"step_up": 60', '"step_up": 39', "outcomes needs_approval, step_up and deny must not fall"),
        ('"deny": 85', '"deny": 102', "outcomes.deny"),
        ('"version": 1', "version: 1", "Invalid JSON"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_fault(said: str, instead: str, fault: str) -> None:
    assert said in GOOD
    with pytest.raises(InvalidArgument) as refused:
        read_rules(GOOD.replace(said, instead, 1))
    assert fault in refused.value.detail


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_rules(GOOD.replace('"points": 20', '"points": 101').replace('"deny": 85', '"deny": 0'))
    assert "new_payee.points" in refused.value.detail
    assert "outcomes.deny" in refused.value.detail
