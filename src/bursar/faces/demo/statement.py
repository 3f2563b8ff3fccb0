"""Scene: a real bank's statement comes into the ledger, and is compared with the balances that the bank printed."""

from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bursar.faces.demo.evidence import Evidence
from bursar.faces.demo.processes import Said, command

# What the bundled part of the PKDD'99 "Berka" data holds, counted from the file itself, not by Bursar.
MOVEMENTS = 772
ACCOUNTS = 20
CREDITS = "3195033.30"
DEBITS = "2524290.70"
# Account, day, and how much the bank's printed balance is above the sum of the movements.
BREAKS = {("11065", "1994-03-31", "130.30"), ("11135", "1994-03-31", "161.70")}

_MAPPING = ("--mapping", "berka")


async def import_statement(evidence: Evidence, data: Path) -> None:
    """Import the bundled part, reconcile it, and hold both against what is known of it."""
    with as_file(files("bursar.features.reconciliation") / "sample" / "berka.csv") as sample:
        imported = await command(data, "import", "statement", str(sample), *_MAPPING)
        compared = await command(data, "reconcile", str(sample), *_MAPPING, "--tolerance", "1.00")
    _claim_import(evidence, imported)
    _claim_totals(evidence, compared)
    _claim_breaks(evidence, compared)


def _claim_import(evidence: Evidence, imported: Said) -> None:
    new, there, bad = (imported.facts[name] for name in ("new", "already_there", "bad_lines"))
    seen = f"{new:,} new, {there:,} already there from an earlier run, {len(bad)} left out"
    holds = imported.code == 0 and new + there == MOVEMENTS and not bad
    evidence.claim("Every movement of the statement is in the ledger once.", holds=holds, seen=seen)


def _claim_totals(evidence: Evidence, compared: Said) -> None:
    facts = compared.facts
    table = Table("", "Movements", "Accounts", "Credits CZK", "Debits CZK", box=SIMPLE_HEAD)
    known = (MOVEMENTS, ACCOUNTS, CREDITS, DEBITS)
    found = tuple(facts[name] for name in ("movements", "accounts", "credits", "debits"))
    for title, row in (("the file", known), ("the ledger", found)):
        table.add_row(title, *(f"{value:,}" if isinstance(value, int) else value for value in row))
    evidence.show(table)
    seen = f"net {Decimal(facts['credits']) - Decimal(facts['debits']):,} CZK over all accounts"
    evidence.claim("The ledger's totals are the file's, to the cent.", holds=found == known, seen=seen)


def _claim_breaks(evidence: Evidence, compared: Said) -> None:
    breaks = compared.facts["breaks"]
    table = Table("Account", "Day", "Bank", "Ledger", "Difference", box=SIMPLE_HEAD)
    for found in breaks:
        table.add_row(*(found[name] for name in ("account", "date", "bank", "ledger", "difference")))
    evidence.show(table)
    found = {(b["account"], b["date"], b["difference"]) for b in breaks}
    seen = f"{len(breaks)} found, {len(BREAKS)} known, of {compared.facts['account_days']:,} account-days"
    claim = "Reconciling finds the days on which the bank's own balances disagree, no more and no fewer."
    evidence.claim(claim, holds=found == BREAKS and len(breaks) == len(BREAKS), seen=seen)
