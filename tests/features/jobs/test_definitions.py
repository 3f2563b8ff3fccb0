"""What a definition must be: every refusal names the field, and what comes with Bursar is of the same form."""

from typing import Any

import pytest

from bursar.features.jobs.definition import built_in, read_definition, refuse_nonsense, write_definition
from bursar.kernel.canonical import canonical
from bursar.kernel.refusal import InvalidArgument

DAY = 86_400


def defined(*effects: str, separate: list[list[str]] | None = None, **of_steps: dict[str, Any]) -> str:
    """A definition of steps s0, s1, … with these effects; `of_steps` changes one of them by its name."""
    steps: list[dict[str, Any]] = [
        {"name": f"s{n}", "role": "execute" if n else "initiate", "stage": "x", "effect": effect}
        for n, effect in enumerate(effects)
    ]
    reserved = [n for n, effect in enumerate(effects) if effect == "reserve"][:1]
    captured = [n for n, effect in enumerate(effects) if effect == "capture"][:1] or [len(effects)]
    for n, step in enumerate(steps):
        if reserved and reserved[0] < n <= captured[0]:
            step["timeout_seconds"] = DAY
        step.update(of_steps.get(f"s{n}", {}))
    return canonical({"name": "mine", "version": 1, "steps": steps, "separate": separate or []})


def made(text: str) -> None:
    refuse_nonsense(read_definition(text))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (defined("none"), "steps"),
        (defined(*["none"] * 21), "steps"),
        (defined("none", "none", s1={"name": "S1"}), "steps.1.name"),
        (defined("none", "none", s1={"role": "Über"}), "steps.1.role"),
        (defined("none", "none", s1={"effect": "pay"}), "steps.1.effect"),
        (defined("none", "none", s1={"timeout_seconds": 0}), "steps.1.timeout_seconds"),
        (defined("none", "none", s1={"max_attempts": True}), "steps.1.max_attempts"),
        (defined("none", "none", s1={"retries": 3}), "steps.1.retries"),
        (defined("none", "none", s0={"role": "execute"}), "steps.0.role"),
        (defined("none", "none", s1={"name": "s0"}), "steps.1.name"),
        (defined("price", "none"), "steps.0.effect"),
        (defined("none", "reserve"), "steps"),
        (defined("none", "capture"), "steps.1.effect"),
        (defined("none", "capture", "reserve"), "steps.1.effect"),
        (defined("none", "price", "price"), "steps.2.effect"),
        (defined("none", "reserve", "reserve", "capture"), "steps.2.effect"),
        (defined("none", "reserve", "price", "capture"), "steps.2.effect"),
        (defined("none", "reserve", "capture", "price"), "steps.3.effect"),
        (defined("none", "reserve", "capture", "capture"), "steps.3.effect"),
        (defined("none", "none", s0={"timeout_seconds": 5}), "steps.0.timeout_seconds"),
        (defined("none", "none", s0={"max_attempts": 5}), "steps.0.max_attempts"),
        (defined("none", "reserve", "capture", "none", s3={"max_attempts": 5}), "steps.3.max_attempts"),
        (defined("none", "reserve", "capture", "none", s3={"timeout_seconds": 5}), "steps.3.timeout_seconds"),
        (defined("none", "reserve", "capture", s2={"timeout_seconds": None}), "steps.2.timeout_seconds"),
        (defined("none", "reserve", "none", "capture", s2={"timeout_seconds": None}), "steps.2.timeout_seconds"),
        (defined("none", "none", separate=[["execute", "price"]]), "separate.0.1"),
        (defined("none", "none", separate=[["execute", "execute"]]), "separate.0"),
        (defined("none", "none", separate=[["execute", "initiate"], ["initiate", "execute"]]), "separate.1"),
        (defined("none", "none", separate=[["execute"]]), "separate.0.1"),
        ("{}", "name"),
        ("[]", "definition"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_field(text: str, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        made(text)
    assert f"{field}: " in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        defined("none", "none"),
        defined("none", "price", "none"),
        defined("none", "reserve", "capture"),
        defined("none", "price", "none", "reserve", "none", "capture", "none"),
        defined("none", "none", separate=[["initiate", "execute"]]),
    ],
)
def test_what_fits_together_is_taken(text: str) -> None:
    made(text)


def test_a_definition_has_one_text_and_what_comes_with_bursar_is_one_like_any_other() -> None:
    for definition in built_in().values():
        refuse_nonsense(definition)
        assert read_definition(write_definition(definition)) == definition
    assert read_definition(defined("none", "price", "reserve", "capture")).prices
