"""How a job goes on, by the pure functions alone: every walk of any definition keeps its promises."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.core.identity.model import Actor, PrincipalKind
from bursar.features.jobs import machine
from bursar.features.jobs.definition import Definition, built_in
from bursar.features.jobs.model import Job, JobStateConflict, LeaseLost
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Refusal

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CHECKOUT = built_in()["checkout"]


def actor(kind: PrincipalKind = "agent") -> Actor:
    return Actor(new_id(), new_id(), kind, "somebody", 1, frozenset())


ANN, BOB, CAT = actor(), actor(), actor()


def begun(definition: Definition, who: Actor = ANN) -> Job:
    return machine.begun(definition, new_id(), who.principal_id, NOW, "USD", 100, None, None).job


def claimed(job: Job, who: Actor, now: datetime = NOW) -> Job:
    return machine.claimed(job, who.principal_id, now, 60).job


def token_of(job: Job) -> int:
    assert job.token
    return job.token


@given(
    st.sampled_from(list(built_in().values())),
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["complete", "fail", "hand", "late", "stale"])), max_size=60),
)
def test_on_every_walk_versions_grow_tokens_grow_and_duties_stay_apart(
    definition: Definition, walk: list[tuple[int, str]]
) -> None:
    crew, job, now = (ANN, BOB, CAT), begun(definition), NOW
    doers: list[tuple[str, UUID]] = [("initiate", ANN.principal_id)]
    tokens: list[int] = []
    for number, what in walk:
        who = crew[number]
        if job.status != "active" or who.principal_id in job.barred:
            continue
        now = max(now, job.run_at)
        held = claimed(job, who, now)
        tokens.append(token_of(held))
        if what == "complete":
            moved = machine.completed(held, definition, who, token_of(held), doers, now, None)
            assert moved.done
            doers.append((moved.done.role, who.principal_id))
        elif what == "fail":
            moved = machine.failed(held, definition, who, token_of(held), "No.", now, retry=True)
        elif what == "hand":
            other = next(c for c in crew if c.principal_id not in held.barred)
            moved = machine.handed_over(held, who, token_of(held), other.principal_id, "other", None, now)
        elif what == "late":
            now += timedelta(seconds=61)
            late = machine.overdue(held, definition, now)
            assert late
            moved = late
        else:
            with pytest.raises(LeaseLost):
                machine.completed(held, definition, who, token_of(held) - 1, doers, now, None)
            job = held._replace(state="ready", holder_id=None, token=None, lease_until=None)
            continue
        assert moved.job.version == held.version + 1 == job.version + 2
        job = moved.job
    assert tokens == sorted(set(tokens))
    for one, other in definition.separate:
        assert not {w for role, w in doers if role == one} & {w for role, w in doers if role == other}


@pytest.mark.parametrize("name", list(built_in()))
def test_three_principals_can_always_finish_what_comes_with_bursar(name: str) -> None:
    """Whoever does whichever step: there is always somebody left who may do the next one."""
    definition = built_in()[name]
    crew = (ANN, BOB, CAT)
    open_ends: list[tuple[Job, list[tuple[str, UUID]]]] = [(begun(definition), [("initiate", ANN.principal_id)])]
    ended = 0
    while open_ends:
        job, doers = open_ends.pop()
        able = [who for who in crew if who.principal_id not in job.barred]
        assert able, (name, job.step)
        for who in able:
            held = claimed(job, who)
            moved = machine.completed(held, definition, who, token_of(held), doers, NOW, None)
            assert moved.done
            if moved.job.status == "done":
                ended += 1
            else:
                open_ends.append((moved.job, [*doers, (moved.done.role, who.principal_id)]))
    assert ended > 1


def test_attempts_run_out_before_the_capture_and_never_after() -> None:
    job = begun(CHECKOUT)._replace(max_attempts=2)
    job = machine.failed(claimed(job, ANN), CHECKOUT, ANN, 2, "No.", NOW, retry=True).job
    assert (job.state, job.attempts, job.run_at) == ("ready", 1, NOW + timedelta(seconds=1))
    held = claimed(job, ANN)
    job = machine.failed(held, CHECKOUT, ANN, token_of(held), "No.", NOW, retry=True).job
    assert (job.status, job.ends_as, job.last_error) == ("compensating", "failed", "No.")
    last = begun(CHECKOUT)._replace(step=6, role="reconcile", attempts=500)
    held = claimed(last, CAT)
    late = machine.overdue(held, CHECKOUT, NOW + timedelta(days=400))
    assert late
    assert (late.job.status, late.job.state) == ("active", "ready")


def test_the_deadline_of_a_step_ends_the_job_and_a_lease_alone_frees_it() -> None:
    held = claimed(begun(CHECKOUT), ANN)
    assert machine.overdue(held, CHECKOUT, NOW + timedelta(seconds=59)) is None
    late = machine.overdue(held, CHECKOUT, NOW + timedelta(seconds=60))
    assert late
    assert (late.job.state, late.happened.type) == ("ready", "lease_lost")
    over = machine.overdue(held, CHECKOUT, NOW + timedelta(days=1))
    assert over
    assert (over.job.status, over.job.ends_as) == ("compensating", "failed")


def test_pauses_double_up_to_an_hour() -> None:
    assert [machine.pause_seconds(n) for n in (1, 2, 3, 12, 13, 99)] == [1, 2, 4, 2048, 3600, 3600]


@pytest.mark.parametrize("status", ["done", "failed", "canceled", "compensating"])
def test_only_what_is_active_is_cancelled(status: str) -> None:
    job = begun(CHECKOUT)._replace(status=status)
    with pytest.raises(JobStateConflict, match=status):
        machine.canceled(job, CHECKOUT, actor("operator"), "No.", NOW)


def test_what_waits_for_a_person_is_neither_done_nor_cancelled() -> None:
    job = machine.awaiting(claimed(begun(CHECKOUT), ANN), ANN, 2, new_id(), NOW).job
    for attempt in (
        lambda: machine.canceled(job, CHECKOUT, ANN, "No.", NOW),
        lambda: machine.refuse_not_held(job, ANN, 2),
    ):
        with pytest.raises(JobStateConflict, match="approval"):
            attempt()
    assert machine.overdue(job, CHECKOUT, NOW + timedelta(days=30)) is None


def test_refusals_say_that_no_money_moved() -> None:
    with pytest.raises(Refusal) as caught:
        machine.refuse_not_held(begun(CHECKOUT), ANN, 1)
    assert "No money moved." in caught.value.detail
