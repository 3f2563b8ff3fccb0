"""A key's text names its tenant and its key, and a mistyped one is no key at all."""

import hashlib
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.core.identity.keys import make_key, read_key
from bursar.core.identity.model import read_key_id, show_key_id
from bursar.kernel.ids import new_id

ALPHABET = string.digits + string.ascii_letters


@given(st.uuids(), st.booleans())
def test_a_key_is_read_back_as_it_was_made(tenant_id: UUID, live: bool) -> None:
    made = make_key(tenant_id, live=live)
    found = read_key(made.text)
    assert found
    assert (found.tenant_id, found.key_id, found.secret_hash) == (tenant_id, made.id, made.secret_hash)
    assert made.text.startswith("bk_live_" if live else "bk_test_")


@pytest.mark.parametrize("tenant_id", [UUID(int=0), UUID(int=2**128 - 1)])
def test_the_least_and_the_greatest_tenant_have_keys_too(tenant_id: UUID) -> None:
    found = read_key(make_key(tenant_id, live=True).text)
    assert found
    assert found.tenant_id == tenant_id


def test_the_secret_is_kept_only_as_its_hash_and_is_never_twice_the_same() -> None:
    made = [make_key(new_id(), live=False) for _ in range(100)]
    secrets = [key.text.split("_")[3][:-6] for key in made]
    assert all(len(secret) == 43 for secret in secrets)
    assert len(set(secrets)) == 100
    assert [key.secret_hash for key in made] == [hashlib.sha256(secret.encode()).digest() for secret in secrets]


def test_one_mistyped_character_anywhere_makes_it_no_key() -> None:
    text = make_key(new_id(), live=True).text
    for at, right in enumerate(text):
        for wrong in ("0", "z", "_", "é"):
            if wrong != right:
                assert read_key(text[:at] + wrong + text[at + 1 :]) is None, at


@given(st.text(ALPHABET + "_", max_size=100))
def test_any_other_text_is_no_key(text: str) -> None:
    assert read_key(text) is None
    assert read_key("bk_live_" + text) is None


def test_a_key_is_its_text_to_the_letter() -> None:
    text = make_key(new_id(), live=True).text
    for changed in (text.upper(), text + "\n", " " + text, text[:-1], text + "0", text * 2, f"Bearer {text}"):
        assert read_key(changed) is None


@pytest.mark.parametrize("key_id", [0, 1, 2**63 - 1])
def test_a_key_id_is_read_back(key_id: int) -> None:
    assert read_key_id(show_key_id(key_id)) == key_id


@pytest.mark.parametrize(
    "text",
    [
        "", "key_", "key_1", "key_" + "0" * 15, "key_" + "0" * 17, "key_" + "G" * 16, "key_" + "A" * 16,
        "key_" + "\u0660" * 16, "key_-" + "0" * 15, "prn_" + "0" * 16, "key_key_" + "0" * 16,
    ],
)  # fmt: skip
def test_any_other_text_is_no_key_id(text: str) -> None:
    assert read_key_id(text) is None
