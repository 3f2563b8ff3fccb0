"""Risk is looked up once a batch and asked of each payment, with every request before it; its answer is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from bursar.core.authority import checking
from bursar.core.authority.assessing import NOT_ASSESSED, Assessed, Question, Scorer, auto_max_of
from bursar.core.authority.desk import Desk
from bursar.core.authority.facts import Risk
from bursar.core.identity import service as identity
from bursar.core.ledger.orders import CaptureHold, Order, PlaceHold, ReverseEntry, Together
from bursar.core.ledger.outcomes import Pending
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.core.authority.limits import agent, ask, codes, send, terms
from tests.core.authority.mandates import approval_json, cap_json, mandate, over_json, terms_json
from tests.stories import Story


@dataclass
class Assessor:
    """Answers as it is told, and remembers what it was asked."""

    answer: Assessed = NOT_ASSESSED
    batches: list[list[Question]] = field(default_factory=list[list[Question]])
    asked: list[tuple[Question, list[Question]]] = field(default_factory=list[tuple[Question, list[Question]]])

    async def assess(self, _: Tx, questions: Callable[[], Sequence[Question]]) -> Scorer:
        self.batches.append(list(questions()))

        def score(question: Question, earlier: Sequence[Question]) -> Assessed:
            self.asked.append((question, list(earlier)))
            return self.answer

        return score


class Row(NamedTuple):
    """What is looked at of a decision."""

    outcome: str
    inputs: str
    shadow: str | None


async def _kept(story: Story) -> list[Row]:
    """Outcome, inputs and shadow of every decision, oldest first."""
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.rows(
            Row,
            "SELECT outcome, inputs, shadow FROM decision WHERE tenant_id = $1 ORDER BY decided_at, id",
            tx.tenant,
        )


async def test_a_batch_is_looked_up_once_and_each_payment_sees_every_request_before_it(story: Story) -> None:
    assessor = Assessor()
    who, _ = await agent(story, "buyer", terms(per_transaction=[cap_json(max="0.40", auto_max="0.20")]))
    told = await ask(Desk(story.database, assessor.assess), who, [send(7), send(41), send(9)], "create_transfers")
    assert codes(told) == ["Done", "limit_exceeded", "Done"]
    (batch,) = assessor.batches
    assert [(q.amount_minor, q.currency, q.auto_max_minor) for q in batch] == [(n, "USD", 20) for n in (7, 41, 9)]
    assert [q for q, _ in assessor.asked] == batch
    assert [[q.amount_minor for q in earlier] for _, earlier in assessor.asked] == [[], [7], [7, 41]]


async def test_what_was_asked_together_and_undone_counts_too(story: Story) -> None:
    assessor = Assessor()
    who, _ = await agent(story, "buyer", terms())
    orders: list[Order] = [Together((send(1), send(10**12))), send(3)]
    assert codes(await ask(Desk(story.database, assessor.assess), who, orders, "create_transfers"))[1] == "Done"
    assert [q.amount_minor for q in assessor.asked[-1][1]] == [1, 10**12]


async def test_a_question_holds_no_text_at_all() -> None:
    assert set(Question.__annotations__) == {
        "agent_id", "at", "source_id", "target_id", "currency", "amount_minor", "auto_max_minor", "is_new",
    }  # fmt: skip


async def test_without_a_mandate_nobody_is_asked(story: Story) -> None:
    assessor = Assessor()
    who, _ = await agent(story, "buyer", terms())
    async with story.database.transaction(story.tenant_id) as tx:
        await tx.run("UPDATE mandate SET agent_id = NULL, team = 'others' WHERE tenant_id = $1", tx.tenant)
    told = await ask(Desk(story.database, assessor.assess), who, [send(1)])
    assert (codes(told), assessor.asked) == (["mandate_missing"], [])


async def test_a_capture_of_a_hold_that_named_its_payee_is_not_asked_about_again(story: Story) -> None:
    risky = Assessor(Assessed(Risk(99, "deny", "all of it"), None, None))
    who, _ = await agent(story, "buyer", terms())
    calm = Assessor()
    placed = [PlaceHold(new_id(), new_id(), "alice", to, Money(5, "USD"), None) for to in ("bob", None)]
    assert codes(await ask(Desk(story.database, calm.assess), who, placed, "create_hold")) == ["Done", "Done"]
    assert [(q.target_id is None, q.is_new) for q, _ in calm.asked] == [(False, True), (True, True)]
    desk = Desk(story.database, risky.assess)
    captures = [
        CaptureHold(new_id(), new_id(), hold.hold_id, None, to) for hold, to in zip(placed, (None, "bob"), strict=True)
    ]
    assert codes(await ask(desk, who, captures, "capture_hold")) == ["Done", "limit_exceeded"]
    ((asked, _),) = risky.asked
    assert (asked.is_new, asked.target_id is None) == (False, False)


async def test_a_mandate_that_wants_a_score_does_not_want_it_of_such_a_capture(story: Story) -> None:
    form = terms(approvals=[approval_json({"risk_at_least": 10})])
    who, _ = await agent(story, "buyer", form)
    desk = Desk(story.database, Assessor(Assessed(Risk(9, "allow", "nothing"), None, None)).assess)
    placed = PlaceHold(new_id(), new_id(), "alice", "bob", Money(5, "USD"), None)
    assert codes(await ask(desk, who, [placed], "create_hold")) == ["Done"]
    unknown = Desk(story.database, Assessor().assess)
    captured = [CaptureHold(new_id(), new_id(), placed.hold_id, None, None)]
    assert codes(await ask(unknown, who, captured, "capture_hold")) == ["Done"]
    assert codes(await ask(unknown, who, [send(1)])) == ["PendingApproval"]


async def test_a_reversal_is_asked_about_the_other_way_round(story: Story) -> None:
    assessor = Assessor()
    who, _ = await agent(story, "buyer", terms())
    desk, paid = Desk(story.database, assessor.assess), send(5)
    await ask(desk, who, [paid])
    await ask(desk, who, [ReverseEntry(new_id(), new_id(), paid.entry_id)], "reverse_transfer")
    there, back = (q for q, _ in assessor.asked)
    assert (back.source_id, back.target_id, back.amount_minor) == (there.target_id, there.source_id, 5)


async def test_the_answer_decides_and_is_kept(story: Story) -> None:
    who, _ = await agent(story, "buyer", terms())
    kept: dict[str, Any] = {"active": [1, 99]}
    assessor = Assessor(Assessed(Risk(99, "deny", "all of it"), kept, "0 deny 0 allow"))
    (refused,) = await ask(Desk(story.database, assessor.assess), who, [send(5)])
    assert codes([refused]) == ["limit_exceeded"]
    ((outcome, inputs, shadow),) = await _kept(story)
    assert (outcome, shadow, orjson.loads(inputs)["assessed"]) == ("deny", "0 deny 0 allow", kept)


async def test_without_rules_nothing_is_kept(story: Story) -> None:
    who, _ = await agent(story, "buyer", terms())
    await ask(Desk(story.database, Assessor().assess), who, [send(5)])
    ((_, inputs, shadow),) = await _kept(story)
    assert ("assessed" in orjson.loads(inputs), shadow) == (False, None)


async def test_a_check_asks_the_same_and_writes_nothing(story: Story) -> None:
    await agent(story, "buyer", terms())
    assessor = Assessor(Assessed(Risk(50, "needs_approval", "a new payee"), {"active": []}, None))
    async with story.database.transaction(story.tenant_id) as tx:
        actor = await identity.as_agent(tx, "buyer")
        checked = await checking.check(tx, actor, "create_transfer", send(5), assessor.assess)
    assert isinstance(checked.outcome, Pending)
    assert "risk score 50: a new payee" in [result.fact for result in checked.results]
    assert (len(assessor.asked), await _kept(story)) == (1, [])


def test_the_threshold_is_the_least_amount_above_which_any_mandate_wants_a_person() -> None:
    plain, capped = mandate(1), mandate(2, terms_json(per_transaction=[cap_json(max="9.00", auto_max="5.00")]))
    ruled = mandate(3, terms_json(approvals=[approval_json(over_json("4.00"))]))
    hard = mandate(4, terms_json(per_transaction=[cap_json(max="1.00")]))
    assert auto_max_of([plain, hard], "USD") is None
    assert auto_max_of([plain, capped, hard], "USD") == 500
    assert auto_max_of([capped, ruled], "USD") == 400
    assert auto_max_of([capped, ruled], "EUR") is None
