"""One text for one meaning, as RFC 8785 writes it."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.kernel.canonical import Json, canonical, digest

texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text("abcXYZ_", max_size=5)
leaves = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values: st.SearchStrategy[Json] = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        # The escapes of RFC 8785, section 3.2.2.2: short ones where there are, else \u00xx; nothing else is escaped.
        ("\b\t\n\f\r\"\\/\x0f\x7f€ü😂", '"\\b\\t\\n\\f\\r\\"\\\\/\\u000f\x7f€ü😂"'),
        ({}, "{}"),
        ([], "[]"),
        (-0, "0"),
        (2**53 - 1, "9007199254740991"),
    ],
)  # fmt: skip
def test_it_is_written_as_the_standard_says(value: Json, text: str) -> None:
    assert canonical(value) == text


@given(values)
def test_it_means_what_it_was_made_from(value: Json) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(keys, leaves, max_size=6))
def test_the_order_in_which_keys_came_makes_no_difference(value: dict[str, Json]) -> None:
    backwards = dict(reversed(list(value.items())))
    assert canonical(backwards) == canonical(value)
    assert digest(backwards) == digest(value)


def test_the_digest_is_the_sha_256_of_the_text() -> None:
    assert digest({"a": "ü"}) == hashlib.sha256('{"a":"ü"}'.encode()).digest()


@pytest.mark.parametrize("value", [2**53, -(2**53), {1: "a"}, {"a": {"b": object()}}])
def test_what_the_standard_has_no_exact_text_for_is_a_bug(value: Json) -> None:
    with pytest.raises(TypeError):
        canonical(value)
