"""The refusals that only jobs know name the fact that decided them and the next useful step, too."""

import re
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from bursar.kernel.db import Database
from bursar.wire.problems import Problem
from tests.api.tenants import Tenant
from tests.crews import Crew, crew_of


async def lease_lost(crew: Crew) -> httpx2.Response:
    job = await crew.until("priced")
    token = await crew.claim("bob", job)
    await crew.ok("bob", f"/{job}/hand-over", {"token": token, "to": "cat"})
    await crew.claim("cat", job)
    return await crew.post("bob", f"/{job}/complete", {"token": token})


async def duties_separated(crew: Crew) -> httpx2.Response:
    return await crew.post("ann", "/claim", {"job_id": await crew.until("priced")})


SAYS: dict[Callable[[Crew], Awaitable[httpx2.Response]], tuple[int, str, str]] = {
    lease_lost: (409, r"token is not that of the step's present claim", r"POST /v1/jobs/claim"),
    duties_separated: (403, r"You may not check_risk in this job", r"another principal"),
}


@pytest.mark.parametrize("produce", SAYS, ids=["lease_lost", "duties_separated"])
async def test_a_refusal_of_jobs_names_its_fact_and_the_next_step(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    database: Database,
    produce: Callable[[Crew], Awaitable[httpx2.Response]],
) -> None:
    answer = await produce(await crew_of(database, client, tenant))
    problem, (status, fact, then) = Problem.model_validate(answer.json()), SAYS[produce]
    assert (answer.status_code, problem.code) == (status, getattr(produce, "__name__", ""))
    assert (problem.money_moved, problem.retry) == ("no", "never")
    assert re.search(fact, problem.detail), problem.detail
    assert re.search(then, problem.next), problem.next
