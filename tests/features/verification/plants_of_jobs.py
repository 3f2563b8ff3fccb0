"""Jobs at every end there is: open, done, given up after money was set aside and after it was paid; and broken."""

from bursar import worker
from bursar.kernel.db import Database
from tests.crews import Crew
from tests.features.jobs.test_through_providers import charged, work

HELD = "(SELECT hold_id FROM job_effect WHERE kind = 'reserved' AND job_id IN (SELECT id FROM job WHERE {0}))"
OF_JOBS, OF_FAILED, OF_DONE = HELD.format("true"), HELD.format("status = 'failed'"), HELD.format("status = 'done'")
A_TRANSFER = "(SELECT id FROM entry WHERE kind = 'transfer' LIMIT 1)"

PLANTS: list[tuple[str, str]] = [
    ("I46", "UPDATE job_share SET amount_minor = amount_minor + 1 WHERE no = 1"),
    ("I46", "UPDATE job_share SET amount_minor = NULL"),
    ("I46", "UPDATE job SET amount_minor = NULL WHERE status = 'done'"),
    ("I46", "DELETE FROM job_share"),
    ("I47", "UPDATE job SET version = version + 1"),
    ("I47", "DELETE FROM job_event WHERE version = 2"),
    ("I47", "UPDATE job_event SET version = 900 WHERE version = 2"),
    ("I47", "UPDATE job_event SET status = 'failed'"),
    ("I47", "UPDATE job_definition SET body_hash = sha256('')"),
    ("I47", "UPDATE job_definition SET version = 7"),
    ("I48", "UPDATE job_step SET done_by = (SELECT done_by FROM job_step WHERE no = 1 LIMIT 1)"),
    ("I49", "DELETE FROM job_step WHERE no = 2"),
    ("I49", "UPDATE job SET step = step + 1 WHERE status = 'active'"),
    ("I49", "UPDATE job_step SET role = 'price'"),
    ("I49", "UPDATE job_step SET name = 'price'"),
    ("I49", "UPDATE job_step SET no = no + 5 WHERE no = 2"),
    ("I50", f"/* of another amount */ UPDATE hold SET amount_minor = amount_minor + 1 WHERE id IN {OF_JOBS}"),
    ("I50", f"/* for another account */ UPDATE hold SET target_id = account_id WHERE id IN {OF_JOBS}"),
    ("I50", f"/* left over */ UPDATE hold SET status = 'pending' WHERE id IN {OF_FAILED}"),
    ("I50", f"/* not captured */ UPDATE hold SET status = 'voided' WHERE id IN {OF_DONE}"),
    ("I50", f"/* another capture */ UPDATE job_effect SET entry_id = {A_TRANSFER} WHERE kind = 'captured'"),
    ("I50", f"/* another reversal */ UPDATE job_effect SET entry_id = {A_TRANSFER} WHERE kind = 'reversed'"),
    ("I50", "DELETE FROM job_effect WHERE kind = 'captured'"),
    ("I50", "DELETE FROM job_effect WHERE kind = 'reversed'"),
    ("I50", "UPDATE job_effect SET hold_id = (SELECT id FROM hold WHERE status = 'voided' LIMIT 1) "
            "WHERE kind = 'reserved'"),
    ("I50", "UPDATE job_effect SET hold_id = (SELECT id FROM hold WHERE status = 'pending' LIMIT 1) "
            "WHERE kind = 'released'"),
    ("I50", f"/* another's */ UPDATE hold SET owner_id = NULL WHERE status = 'pending' AND id IN {OF_JOBS}"),
    ("I66", "DELETE FROM job_effect WHERE kind = 'captured' AND attempt_id IS NOT NULL"),
    ("I66", "DELETE FROM job_effect WHERE kind = 'reversed' AND attempt_id IS NOT NULL"),
    ("I66", "UPDATE payment_attempt SET amount_minor = amount_minor + 1 WHERE kind = 'charge' AND job_id IS NOT NULL"),
    ("I66", "UPDATE payment SET refunded_minor = 0 WHERE refunded_minor > 0"),
    ("I66", "UPDATE payment SET captured_minor = 1, refunded_minor = 0"),
]  # fmt: skip


async def play(crew: Crew, url: str) -> None:
    """Play them all; what is undone by Bursar itself is."""
    await crew.until("priced")
    halves = [{"source": crew.tenant.main, "target": crew.tenant.side, "weight": weight} for weight in (1, 2)]
    await crew.until("reserved", shares=halves)
    await crew.until("reconciled", shares=halves)
    failing, paid = await crew.until("reserved"), await crew.until("charged")
    token = await crew.claim("ann", failing)
    await crew.ok("ann", f"/{failing}/fail", {"token": token, "reason": "The shop is closed.", "retry": False})
    await crew.ok("operator", f"/{paid}/cancel", {"reason": "Not ours."})
    card = await charged(crew, "sandbox_ok")
    await crew.until("reconciled", shares=card)
    refunded = await crew.until("charged", shares=card)
    await crew.ok("operator", f"/{refunded}/cancel", {"reason": "Not ours."})
    workers = await Database.open(url, role="bursar_worker", connections=2)
    await worker.compensate_jobs(workers)
    await work(workers, url)
    await workers.close()
    assert [(await crew.get(f"/{job}"))["status"] for job in (failing, paid, refunded)] == [
        "failed", "canceled", "canceled",
    ]  # fmt: skip
