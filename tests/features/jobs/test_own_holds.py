"""The funds of a job are its own: only its steps, its undoing and a freeze end what it holds."""

import httpx2
import pytest

from bursar import worker
from bursar.kernel.db import Database
from tests.api.tenants import bearing
from tests.crews import Crew
from tests.features.jobs.test_going_on import limited, made


async def ask(crew: Crew, who: str, path: str) -> httpx2.Response:
    return await crew.client.post(path, headers=bearing(crew.keys[who]))


@pytest.mark.parametrize("who", ["ann", "operator"])
@pytest.mark.parametrize("verb", ["release", "capture"])
async def test_nobody_ends_the_hold_of_a_job_beside_it(crew: Crew, who: str, verb: str) -> None:
    job = await crew.until("reserved")
    hold = (await crew.get(f"/{job}"))["shares"][0]["hold_id"]
    refused = await ask(crew, who, f"/v1/holds/{hold}/{verb}")
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert "belongs to a payment or job" in refused.json()["detail"]
    assert await crew.available(crew.tenant.main) == "999990.00"
    assert (await crew.do("ann", job))["shares"][0]["state"] == "captured"


async def test_a_freeze_gives_back_what_its_agent_held_for_a_job(crew: Crew, workers: Database) -> None:
    who = await limited(crew)
    job = await crew.until("checked", amount="4.00")
    await crew.do(who, job)
    hold = (await crew.get(f"/{job}"))["shares"][0]["hold_id"]
    frozen = await made(crew, "/v1/freezes", {"scope": "agent", "object": who, "reason": "It runs away."})
    assert hold in str(frozen)
    assert await crew.available(crew.tenant.main) == "1000000.00"
    token = await crew.claim("ann", job)
    refused = await crew.post("ann", f"/{job}/complete", {"token": token})
    assert (refused.status_code, "voided" in refused.json()["detail"]) == (409, True)
    await crew.ok("ann", f"/{job}/fail", {"token": token, "reason": "Its funds are gone.", "retry": False})
    await worker.compensate_jobs(workers)
    assert (await crew.get(f"/{job}"))["status"] == "failed"
