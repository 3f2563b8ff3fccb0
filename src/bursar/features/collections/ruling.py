"""The verbs of rules of contact and of templates: make a version, find the one that counts."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from bursar.core.identity.model import Actor
from bursar.features.collections import store, templates
from bursar.features.collections.contact import BUILT_IN, EVERY_PRODUCT, Rules
from bursar.features.collections.model import CollectionConflict
from bursar.features.collections.store import KeptRules, KeptWords
from bursar.features.collections.templates import Words
from bursar.features.lending import store as lending
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.refusal import UnknownObject

# Whoever finds a number taken in that moment takes the next; nobody writes so many versions in between.
_ATTEMPTS = 5


def read_rules(kept: KeptRules) -> Rules:
    """A version of the rules as it is kept."""
    facts: Mapping[str, Any] = orjson.loads(kept.text)
    return Rules(kept.product, kept.version, **facts)


async def rules_of(tx: Tx, product: str) -> Rules:
    """The rules for the loans of a product: its own, else everybody's, else those that come with Bursar."""
    found = await store.find_rules(tx, [product, EVERY_PRODUCT])
    return read_rules(found) if found else BUILT_IN


async def make_rules(tx: Tx, actor: Actor, wanted: Rules) -> KeptRules:
    """Keep a new version of the rules; reminders go by it from now on."""
    if wanted.product != EVERY_PRODUCT and await lending.find_product(tx, wanted.product) is None:
        raise UnknownObject("loan product")
    facts: dict[str, Json] = wanted._asdict()
    del facts["product"], facts["version"]
    text = canonical(facts)
    version, made_at = await _numbered(
        lambda: store.insert_rules(tx, wanted.product, text, sha256(text.encode()).digest(), actor.principal_id)
    )
    return KeptRules(wanted.product, version, text, actor.principal_id, made_at)


async def _numbered(write: Callable[[], Awaitable[tuple[int, datetime] | None]]) -> tuple[int, datetime]:
    for _ in range(_ATTEMPTS):
        if made := await write():
            return made
    raise CollectionConflict("Versions of it are made faster than they can be numbered.")


async def words_of(tx: Tx, name: str) -> Words:
    """The latest version of a template."""
    kept = await store.list_words(tx, name)
    if kept:
        return kept[-1].words
    if name not in templates.BUILT_IN:
        raise UnknownObject("reminder template")
    return templates.BUILT_IN[name]


async def all_words(tx: Tx) -> list[KeptWords]:
    """Every version of every template, those that come with Bursar too."""
    own = [KeptWords(words, None, None) for words in templates.BUILT_IN.values()]
    return sorted([*own, *await store.list_words(tx)], key=lambda kept: kept.words[:2])


async def make_words(tx: Tx, actor: Actor, wanted: Words) -> KeptWords:
    """Keep a new version of a template; reminders have its words from now on."""
    templates.refuse_words(wanted)
    version, made_at = await _numbered(lambda: store.insert_words(tx, wanted, actor.principal_id))
    return KeptWords(wanted._replace(version=version), actor.principal_id, made_at)
