"""`bursar risk evaluate`: how many planted frauds the default rules catch, and how many real payments they stop."""

import json
import sys
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bursar.features.risk import evaluation
from bursar.features.risk.evaluation import Evaluation, RealPayments
from bursar.features.risk.ruleset import DEFAULT_RULES

SAMPLE = Path(str(files("bursar.features.reconciliation") / "sample" / "berka.csv"))


def evaluate(file: Path | None, seed: int, *, as_json: bool) -> None:
    """Evaluate the default rules on a Berka file, by default on the sample that comes with Bursar, and print it."""
    found = evaluation.evaluate(file or SAMPLE, seed, DEFAULT_RULES)
    if as_json:
        _print_json(found)
    else:
        _print_tables(found)


def _print_json(found: Evaluation) -> None:
    json.dump(asdict(found), sys.stdout, indent=2)
    sys.stdout.write("\n")


def _print_tables(found: Evaluation) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"Rules version {found.rules_version}, seed {found.seed}, {found.accounts:,} accounts.")
    frauds = _table("Planted frauds", "planted", "caught", "share", "payments", "stopped", "share")
    for kind in found.kinds:
        frauds.add_row(
            kind.kind.replace("_", " "),
            *(f"{kind.planted:,}", f"{kind.caught:,}", _share(kind.caught, kind.planted)),
            *(f"{kind.payments:,}", f"{kind.payments_stopped:,}", _share(kind.payments_stopped, kind.payments)),
        )
    console.print(frauds)
    real = _table("Real payments", "payments", "false alarms", "share")
    paid, charges = found.paid, found.charges
    together = RealPayments(paid.payments + charges.payments, paid.false_alarms + charges.false_alarms)
    for name, ones in (("paid by the holder", paid), ("taken by the bank", charges), ("together", together)):
        real.add_row(name, f"{ones.payments:,}", f"{ones.false_alarms:,}", _share(ones.false_alarms, ones.payments))
    console.print(real)


def _table(first: str, *titles: str) -> Table:
    table = Table(first)
    for title in titles:
        table.add_column(title, justify="right")
    return table


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "none"
