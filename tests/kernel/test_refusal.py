"""Every refusal says by its class what it is, whether money moved, and what to do next."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import bursar
from bursar.kernel.refusal import InvalidArgument, Refusal, UnknownObject, code_of, title_of

for module in pkgutil.walk_packages(bursar.__path__, "bursar."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)


def _all(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from _all(below)


REFUSALS = sorted(set(_all()), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", REFUSALS, ids=code_of)
def test_a_refusal_has_a_title_and_a_next_step(kind: type[Refusal]) -> None:
    assert title_of(kind).endswith(".")
    assert kind.next.endswith(".")
    assert code_of(kind) == code_of(kind).lower()


@pytest.mark.parametrize("kind", REFUSALS, ids=code_of)
def test_only_an_unknown_outcome_leaves_open_whether_money_moved(kind: type[Refusal]) -> None:
    unknown = {"outcome_unknown", "internal_error", "upstream_contradicts", "upstream_undecided", "answer_forgotten"}
    assert (kind.money_moved == "unknown") is (code_of(kind) in unknown)
    assert kind.money_moved != "yes"


def test_a_class_name_is_its_code() -> None:
    assert InvalidArgument("amount", "is none").code == "invalid_argument"
    assert UnknownObject("hold").code == "not_found"


def test_a_detail_names_the_argument_and_the_reason() -> None:
    assert InvalidArgument("orders.3.amount", "must be above 0").detail == "orders.3.amount: must be above 0"
