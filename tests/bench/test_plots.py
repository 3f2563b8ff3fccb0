"""A picture is well-formed SVG whose bars are as long as their values say."""

from typing import Final
from xml.etree import ElementTree as ET

import pytest

from bench.plots import LEFT, RIGHT, Bar, Group, picture

SVG: Final = "{http://www.w3.org/2000/svg}"


def drawn(*groups: Group) -> ET.Element:
    return ET.fromstring(picture("Rates & <more>", "of one run", groups, "{:,.0f}"))


def lengths(svg: ET.Element, kind: str) -> list[float]:
    return [float(rect.attrib["width"]) for rect in svg.iter(f"{SVG}rect") if rect.attrib["class"] == kind]


def test_the_longest_bar_fills_the_space_and_the_others_are_in_proportion() -> None:
    svg = drawn(
        Group("any", [Bar("theirs", (500,), is_ours=False), Bar("ours", (2_000,), is_ours=True)]),
        Group("hot", [Bar("ours", (1_000,), is_ours=True)]),
    )
    assert lengths(svg, "ours") == pytest.approx([RIGHT - LEFT, (RIGHT - LEFT) / 2])
    assert lengths(svg, "theirs") == pytest.approx([(RIGHT - LEFT) / 4], abs=0.1)
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert texts == ["Rates & <more>", "of one run", "any", "theirs", "500", "ours", "2,000", "hot", "ours", "1,000"]


def test_a_bar_of_several_values_has_the_longest_behind() -> None:
    svg = drawn(Group("any", [Bar("ours", (10, 20, 40), is_ours=True)]))
    assert lengths(svg, "ours") == pytest.approx([RIGHT - LEFT, (RIGHT - LEFT) / 2, (RIGHT - LEFT) / 4], abs=0.1)
    assert "10 / 20 / 40" in [text.text for text in svg.iter(f"{SVG}text")]


def test_nothing_measured_draws_no_bar() -> None:
    assert lengths(drawn(Group("any", [Bar("ours", (0,), is_ours=True)])), "ours") == [0]
    assert not lengths(drawn(), "ours")
