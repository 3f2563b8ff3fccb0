"""The default rules on real payments with frauds planted: for a file and a seed the figures are always the same."""

import json
import os
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from bursar.faces.cli.risk import SAMPLE
from bursar.faces.cli.risk import evaluate as command
from bursar.features.risk.berka import draw, read_outgoing
from bursar.features.risk.evaluation import Caught, Evaluation, RealPayments, evaluate
from bursar.features.risk.model import Payment
from bursar.features.risk.planting import AUTO_MAX_MINOR, EARLIER_PAYMENTS, Fraud, Kind, plant
from bursar.features.risk.ruleset import DEFAULT_RULES
from bursar.kernel.refusal import InvalidArgument
from tests.features.risk.payments import NOON, USUAL

FOLDER = os.environ.get("BURSAR_BERKA")
HEADER = "trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account\n"


def busiest(seed: int) -> list[Payment]:
    """The payments of the account of the sample that has most of them."""
    payments = [o.payment for o in read_outgoing(SAMPLE, seed)]
    ((source_id, _),) = Counter(p.source_id for p in payments).most_common(1)
    return [p for p in payments if p.source_id == source_id]


def planted(kind: Kind) -> list[tuple[Fraud, list[Payment]]]:
    """Frauds of a kind from many seeds, each with the real payments before it."""
    found: list[tuple[Fraud, list[Payment]]] = []
    for seed in range(30):
        real = busiest(seed)
        (fraud,) = [f for f in plant(real, seed) if f.kind == kind]
        found.append((fraud, [p for p in real if p.at < fraud.payments[0].at]))
    return found


def test_the_default_rules_on_the_sample() -> None:
    assert evaluate(SAMPLE, 1, DEFAULT_RULES) == Evaluation(
        rules_version=1,
        seed=1,
        accounts=18,
        kinds=[
            Caught("amount_outlier", planted=13, caught=12, payments=13, payments_stopped=12),
            Caught("structuring", planted=13, caught=13, payments=57, payments_stopped=46),
            Caught("night_transfer", planted=13, caught=13, payments=13, payments_stopped=13),
        ],
        paid=RealPayments(payments=333, false_alarms=1),
        charges=RealPayments(payments=80, false_alarms=0),
    )


@pytest.mark.soak
@pytest.mark.skipif(not FOLDER, reason="BURSAR_BERKA names no folder with the Berka data set")
def test_the_default_rules_on_the_whole_file() -> None:
    assert evaluate(Path(FOLDER or "") / "transactions_1993_1994.csv", 1, DEFAULT_RULES) == Evaluation(
        rules_version=1,
        seed=1,
        accounts=718,
        kinds=[
            Caught("amount_outlier", planted=521, caught=502, payments=521, payments_stopped=502),
            Caught("structuring", planted=521, caught=521, payments=2_110, payments_stopped=1_734),
            Caught("night_transfer", planted=521, caught=521, payments=521, payments_stopped=521),
        ],
        paid=RealPayments(payments=13_821, false_alarms=33),
        charges=RealPayments(payments=3_724, false_alarms=3),
    )


def test_another_seed_plants_elsewhere_and_the_same_one_does_not() -> None:
    first, same, other = (plant(busiest(1), seed) for seed in (1, 1, 2))
    assert first == same
    assert [f.payments for f in first] != [f.payments for f in other]


def test_rules_that_stop_nothing_catch_nothing() -> None:
    never = DEFAULT_RULES.outcomes.model_copy(update={"needs_approval": 101, "step_up": 101, "deny": 101})
    found = evaluate(SAMPLE, 1, DEFAULT_RULES.model_copy(update={"outcomes": never}))
    assert [(k.planted, k.caught, k.payments_stopped) for k in found.kinds] == [(13, 0, 0)] * 3
    assert (found.paid.false_alarms, found.charges.false_alarms) == (0, 0)


def test_rules_that_stop_everything_stop_the_real_ones_too() -> None:
    rules = DEFAULT_RULES.model_dump()
    rules["new_payee"] = {"points": 100, "cool_off_hours": 1_000_000}
    found = evaluate(SAMPLE, 1, type(DEFAULT_RULES).model_validate(rules))
    assert [k.caught for k in found.kinds] == [13, 13, 13]
    assert (found.paid.false_alarms, found.charges.false_alarms) == (333, 80)


def test_an_outlier_is_told_by_its_amount_alone() -> None:
    for fraud, before in planted("amount_outlier"):
        (payment,) = fraud.payments
        assert payment.target_id in {p.target_id for p in before}
        assert 8 <= payment.at.hour < 18
        assert payment.amount_minor > 1.9 * max(p.amount_minor for p in before if p.at.date() < payment.at.date())


def test_a_structured_payment_stays_just_under_what_needs_no_approval() -> None:
    lengths = {len(fraud.payments) for fraud, _ in planted("structuring")}
    assert lengths == {3, 4, 5}
    new = 0
    for fraud, before in planted("structuring"):
        new += fraud.payments[0].target_id not in {p.target_id for p in before}
        assert len({p.target_id for p in fraud.payments}) == 1
        assert all(0.92 * AUTO_MAX_MINOR <= p.amount_minor < AUTO_MAX_MINOR for p in fraud.payments)
    assert 0 < new < 30


def test_a_night_transfer_is_told_by_its_hour_and_payee_alone() -> None:
    for fraud, before in planted("night_transfer"):
        (payment,) = fraud.payments
        assert payment.at.hour < 5
        assert payment.target_id not in {p.target_id for p in before}
        assert payment.amount_minor in {p.amount_minor for p in before}


def test_a_fraud_is_made_of_what_was_known_before_its_day() -> None:
    first_day = [USUAL._replace(at=NOON + timedelta(minutes=m), amount_minor=100) for m in range(EARLIER_PAYMENTS)]
    second_day = [p._replace(at=p.at + timedelta(days=1), target_id=UUID(int=9), amount_minor=900) for p in first_day]
    for seed in range(20):
        outlier, _, night = (fraud.payments[0] for fraud in plant([*first_day, *second_day], seed))
        assert outlier.target_id == USUAL.target_id
        assert outlier.amount_minor <= 1_000
        assert night.amount_minor == 100


def test_a_fraud_that_was_stopped_does_not_make_its_payee_known() -> None:
    """Under rules that stop whatever goes to a payee never paid, all payments of such a fraud are stopped."""
    rules = DEFAULT_RULES.model_dump()
    for feature in ("velocity", "amount_outlier", "structuring", "unusual_hour", "dormant"):
        rules[feature]["points"] = 0
    rules["new_payee"] = {"points": 100, "cool_off_hours": 0}
    payments = [o.payment for o in read_outgoing(SAMPLE, 1)]
    structured = 0
    for source_id in {p.source_id for p in payments}:
        real = [p for p in payments if p.source_id == source_id]
        paid = {p.target_id for p in real}
        frauds = [f for f in plant(real, 1) if f.kind == "structuring" and f.payments[0].target_id not in paid]
        structured += sum(len(f.payments) for f in frauds)
    found = evaluate(SAMPLE, 1, type(DEFAULT_RULES).model_validate(rules))
    assert [k.payments_stopped for k in found.kinds] == [0, structured, 13]


def test_nothing_is_planted_into_a_young_account() -> None:
    real = busiest(1)
    assert plant(real[:EARLIER_PAYMENTS], 1) == []
    assert len(plant(real[: EARLIER_PAYMENTS + 1], 1)) == 3


def test_real_payments_keep_their_day_and_get_an_office_hour() -> None:
    payments = [o.payment for o in read_outgoing(SAMPLE, 1)]
    assert len(payments) == 413
    assert payments == sorted(payments, key=lambda p: p.at)
    assert {p.at.hour for p in payments} == set(range(8, 18))
    days = [p.at.date().isoformat() for p in payments]
    assert (days[0], days[-1], days.count("1993-06-30")) == ("1993-03-10", "1994-03-31", 1)


def test_the_same_payee_has_the_same_id_and_the_banks_charges_are_marked(tmp_path: Path) -> None:
    file = tmp_path / "berka.csv"
    file.write_text(
        HEADER
        + "1;7;930101;PRIJEM;VKLAD;700.00;700.00;;;\n"
        + "2;7;930102;VYDAJ;PREVOD NA UCET;10.00;690.00;SIPO;AB;111\n"
        + "3;7;930103;VYDAJ;PREVOD NA UCET;20.50;669.50; ;AB;111\n"
        + "4;7;930104;VYDAJ;PREVOD NA UCET;10.00;659.50;;CD;111\n"
        + "5;8;930105;VYBER;VYBER;5.00;1.00;;;\n"
        + "6;7;930106;VYDAJ;VYBER;14.60;644.90;SLUZBY;;\n"
    )
    read = read_outgoing(file, 1)
    first, same, other_bank, cash, fee = (o.payment for o in read)
    assert first.target_id == same.target_id
    assert len({p.target_id for p in (first, other_bank, cash, fee)}) == 4
    assert first.source_id == fee.source_id != cash.source_id
    assert [p.amount_minor for p in (first, same, fee)] == [1_000, 2_050, 1_460]
    assert [o.is_charge for o in read] == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a;b\n1;2\n", "file: lacks the columns account, account_id"),
        ("", "file: lacks the columns"),
        (HEADER + "1;7;19930101;VYDAJ;VYBER;5.00;1.00;;;\n", "file.2.date: must be written YYMMDD"),
        (HEADER + "1;7\n", "file.2: has fewer cells than the header"),
        (HEADER + "1;7;930101;VYDAJ;VYBER;five;1.00;;;\n", "file.2.amount: must be a plain decimal number"),
        (HEADER + "1;7;930101;VYDAJ;VYBER;5.00\n", "file.2: has fewer cells than the header"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "other.csv"
    file.write_text(text)
    with pytest.raises(InvalidArgument) as refused:
        read_outgoing(file, 1)
    assert fault in refused.value.detail


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="cannot be read"):
        read_outgoing(tmp_path / "none.csv", 1)


def test_a_draw_depends_on_every_part_of_its_label() -> None:
    drawn = [draw(10**9, 1, "a", "b"), draw(10**9, 2, "a", "b"), draw(10**9, 1, "b", "a"), draw(10**9, 1, "a")]
    assert len(set(drawn)) == 4
    assert draw(10**9, 1, "a", "b") == drawn[0]


def test_the_command_prints_the_shares(capsys: pytest.CaptureFixture[str]) -> None:
    command(None, 1, as_json=False)
    said = capsys.readouterr().out
    assert "Rules version 1, seed 1, 18 accounts." in said
    assert "amount outlier │      13 │     12 │  92.31 %" in said
    assert "together           │      413 │            1 │ 0.24 %" in said


def test_json_holds_the_same_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    command(SAMPLE, 2, as_json=True)
    assert json.loads(capsys.readouterr().out) == asdict(evaluate(SAMPLE, 2, DEFAULT_RULES))


def test_a_file_without_payments_has_no_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "empty.csv"
    file.write_text(HEADER)
    command(file, 1, as_json=False)
    assert "none" in capsys.readouterr().out
