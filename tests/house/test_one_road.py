"""Money moves on one road: every entry passes the gate that authority opens, and few places open it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from bursar.core.authority.actions import ACTIONS

ROOT = Path(__file__).parents[2] / "src" / "bursar"

# Who may send orders to the book. Agents' orders pass the gate in `moving` and, once people have approved, in
# `executing`; the rest is Bursar's own: holds given back, statements booked, a sandbox opened.
SENDERS = {
    "core/authority/moving.py": "an examination",
    "core/authority/executing.py": "an examination",
    "core/authority/approvals.py": "unexamined",
    # What a provider has done is booked; it was examined when it was asked for.
    "core/authority/settling.py": "unexamined",
    "core/authority/superseding.py": "unexamined",
    "core/authority/switches.py": "unexamined",
    "core/authority/undoing.py": "unexamined",
    "features/reconciliation/booking.py": "unexamined",
    "features/sandbox/service.py": "unexamined",
}


def _calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function or method of this name, with the file it stands in."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called == name:
                    yield path.relative_to(ROOT).as_posix(), node
                case _:
                    pass


def test_orders_are_sent_to_the_book_from_few_places_and_each_says_who_examines_them() -> None:
    found = {path: ast.unparse(call.args[2]) for path, call in _calls("send_many")}
    assert found.keys() == SENDERS.keys()
    assert {path: "unexamined" if "unexamined" in gate else "an examination" for path, gate in found.items()} == SENDERS


def test_nobody_else_writes_entries() -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "INSERT INTO entry" in path.read_text() or "INSERT INTO posting" in path.read_text()
    }
    assert writers == {"core/ledger/page_store.py"}
    assert {path for path, call in _calls("write") if "page" in ast.unparse(call)} == {"core/ledger/service.py"}
    assert {path for path, _ in _calls("write_if_unchanged")} == {"core/authority/recalled.py"}


def test_only_the_desks_transaction_carries_instructions_out() -> None:
    assert {path for path, _ in _calls("carry_out")} == {"core/authority/desk.py", "core/authority/fate.py"}


def test_every_route_that_moves_money_asks_for_an_action_of_the_table() -> None:
    asked = {
        argument.value
        for path, call in _calls("ask")
        if path.startswith("api/")
        for argument in call.args[:1]
        if isinstance(argument, ast.Constant)
    }
    assert asked
    assert asked <= ACTIONS.keys()
