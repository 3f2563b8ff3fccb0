"""Mails: at most one of a reminder, whatever the server or the worker does; nothing of the borrower in a log."""

import asyncio
import email
import email.policy
import logging
import socket
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from bursar import worker
from bursar.faces.cli.mail import mail_port
from bursar.features.collections import mailing
from bursar.features.collections.mailing import RETRY_SECONDS, Letter, Result, Send
from bursar.features.collections.smtp import port_to
from bursar.kernel.db import Database
from bursar.kernel.settings import Settings
from tests.features.collections.late import late_loan
from tests.features.collections.post_office import Certificate, Office, certificate, open_office, server_of
from tests.features.lending.applying import Lender

BY_MAIL = {"template": "payment_overdue", "channel": "email"}
LETTER = Letter("0" * 32, "avery.adams@example.com", "100.00 USD is overdue", "Please pay – today.\n.\nThank you.")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture
async def office(known: Certificate) -> AsyncGenerator[Office]:
    async with open_office(known) as opened:
        yield opened


def due_now(url: str) -> None:
    with psycopg.connect(url, options="-c search_path=bursar") as connection:
        connection.execute("UPDATE loan_mail SET due_at = now() - interval '1 second' WHERE ended_at IS NULL")


async def mail_of(lender: Lender, loan: Any) -> Any:
    (made,) = (await lender.get(f"/loans/{loan['id']}/reminders"))["items"]
    return made["mail"]


async def turn(workers: Database, send: Send) -> None:
    ((task, _),) = worker.mail_tasks(send)
    await task(workers)


async def test_a_server_takes_a_mail_over_tls_with_a_password(office: Office, known: Certificate) -> None:
    assert await port_to(server_of(office, known))(LETTER) == Result("sent")
    (text,) = office.taken
    read = email.message_from_bytes(text, policy=email.policy.default)
    assert (read["To"], read["From"], read["Subject"]) == (LETTER.recipient, "loans@lender.example", LETTER.subject)
    assert (read["Message-ID"], read["Auto-Submitted"]) == (f"<{LETTER.reference}@lender.example>", "auto-generated")
    assert read.get_content().replace("\r\n", "\n").strip() == LETTER.body
    assert office.to == [LETTER.recipient]
    assert text.isascii()


async def test_tls_from_the_start(known: Certificate) -> None:
    async with open_office(known, implicit=True) as office:
        server = server_of(office, known, tls="tls", user=None)
        assert await port_to(server)(LETTER) == Result("sent")
        assert len(office.taken) == 1


async def test_nothing_goes_in_the_clear_nor_to_a_server_that_is_not_known(known: Certificate) -> None:
    async with open_office() as plain:
        assert (await port_to(server_of(plain, known))(LETTER)).outcome == "not_now"
        assert plain.seen == []
        assert (await port_to(server_of(plain))(LETTER)).outcome == "sent"
    async with open_office(known) as office:
        unknown = server_of(office, known, context=ssl.create_default_context())
        assert (await port_to(unknown)(LETTER)).outcome == "not_now"
        assert (await port_to(server_of(office, known, password="wrong"))(LETTER)).outcome == "not_now"
        assert (office.seen, office.taken) == ([], [])


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"rcpt_says": "550 No such user"}, "refused"),
        ({"rcpt_says": "451 Try later"}, "not_now"),
        ({"data_says": "554 No"}, "refused"),
        ({"data_says": "452 Full"}, "not_now"),
        ({"hangs_up": True}, "unknown"),
    ],
)
async def test_what_the_server_says_decides(
    office: Office, known: Certificate, change: dict[str, Any], outcome: str
) -> None:
    for name, value in change.items():
        setattr(office, name, value)
    result = await port_to(server_of(office, known))(LETTER)
    assert result.outcome == outcome
    assert LETTER.recipient not in str(result)


async def test_a_server_that_is_not_there_or_says_nothing(known: Certificate) -> None:
    with socket.socket() as silent:
        silent.bind(("localhost", 0))
        silent.listen()
        nobody = Office(port=silent.getsockname()[1])
        assert (await port_to(server_of(nobody, known, seconds=0.2))(LETTER)).outcome == "not_now"
    assert (await port_to(server_of(nobody, known))(LETTER)).outcome == "not_now"


@pytest.mark.parametrize(
    "letter",
    [
        LETTER._replace(subject="Overdue\r\nBcc: everybody@example.com"),
        LETTER._replace(recipient="a@example.com\nBcc: b@example.com"),
        LETTER._replace(recipient="a@example.com>\r\nRCPT TO:<b@example.com"),
    ],
)
async def test_no_header_is_smuggled_in(office: Office, known: Certificate, letter: Letter) -> None:
    assert (await port_to(server_of(office, known))(letter)).outcome == "refused"
    assert (office.seen, office.taken) == ([], [])


async def test_a_reminder_by_mail_is_sent_once_by_however_many_workers(
    lender: Lender, workers: Database, office: Office, known: Certificate
) -> None:
    loan = await late_loan(lender, workers, email="Avery.Adams@example.com")
    made = await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_MAIL)
    assert (made["mail"]["status"], made["to"]) == ("pending", "Avery.Adams@example.com")
    send = port_to(server_of(office, known))
    await asyncio.gather(*(turn(workers, send) for _ in range(4)))
    mail = await mail_of(lender, loan)
    assert (mail["status"], mail["attempts"], mail["error"]) == ("sent", 1, None)
    assert (len(office.taken), office.to) == (1, ["Avery.Adams@example.com"])
    await turn(workers, send)
    assert len(office.taken) == 1
    (seen,) = (await lender.get(f"/loans/{loan['id']}/reminders", "ann"))["items"]
    assert seen["to"] is None


async def test_what_was_surely_not_taken_is_tried_again_and_fails_at_last(
    lender: Lender, workers: Database, database_url: str
) -> None:
    loan = await late_loan(lender, workers)
    await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_MAIL)
    asked: list[Letter] = []

    async def busy(letter: Letter) -> Result:
        asked.append(letter)
        return Result("not_now", "The mail server answered 451.")

    for attempt in range(1, len(RETRY_SECONDS) + 1):
        await turn(workers, busy)
        await turn(workers, busy)
        mail = await mail_of(lender, loan)
        assert (mail["status"], mail["attempts"]) == ("pending", attempt)
        due_now(database_url)
    await turn(workers, busy)
    due_now(database_url)
    await turn(workers, busy)
    mail = await mail_of(lender, loan)
    assert (mail["status"], mail["attempts"], mail["error"]) == ("failed", 6, "The mail server answered 451.")
    assert len(asked) == 6
    assert len(set(asked)) == 1


@pytest.mark.parametrize("dies", [True, False])
async def test_a_mail_of_which_nobody_knows_is_never_sent_again(
    lender: Lender, workers: Database, database_url: str, office: Office, known: Certificate, *, dies: bool
) -> None:
    loan = await late_loan(lender, workers)
    await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_MAIL)
    send = port_to(server_of(office, known))

    async def killed(letter: Letter) -> Result:
        await send(letter)
        raise KeyError

    if dies:
        with pytest.raises(KeyError):
            await turn(workers, killed)
        assert (await mail_of(lender, loan))["status"] == "sending"
        await turn(workers, send)
        due_now(database_url)
    else:
        office.hangs_up = True
    for _ in range(2):
        await turn(workers, send)
    mail = await mail_of(lender, loan)
    assert (mail["status"], mail["attempts"]) == ("unknown", 1)
    assert len(office.taken) == 1


async def test_the_sandbox_logs_and_says_nothing_of_the_borrower(
    lender: Lender, workers: Database, caplog: pytest.LogCaptureFixture
) -> None:
    loan = await late_loan(lender, workers, email="avery.adams@example.com")
    await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_MAIL)
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.DEBUG):
        await turn(workers, mailing.log)
    assert [line["event"] for line in lines] == ["mail not sent: this is the sandbox"]
    assert "avery" not in (str(lines) + caplog.text).lower()
    assert (await mail_of(lender, loan))["status"] == "sent"
    events = await lender.get(f"/events?object={loan['id']}")
    assert "avery" not in str(events).lower()


async def test_without_a_server_a_mail_fails_and_says_so(lender: Lender, workers: Database) -> None:
    loan = await late_loan(lender, workers)
    await lender.ok("operator", f"/loans/{loan['id']}/reminders", BY_MAIL)
    await turn(workers, mail_port(Settings(), is_sandbox=False))
    mail = await mail_of(lender, loan)
    assert (mail["status"], mail["error"]) == ("failed", "No mail server is configured.")


def test_the_settings_choose_the_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    del tmp_path
    assert mail_port(Settings(), is_sandbox=True) is mailing.log
    monkeypatch.setenv("BURSAR_SMTP_HOST", "mail.example.com")
    with pytest.raises(ValueError, match="BURSAR_SMTP_FROM"):
        Settings()
    monkeypatch.setenv("BURSAR_SMTP_FROM", "loans@lender.example")
    assert mail_port(Settings(), is_sandbox=True) not in (mailing.log, mailing.nowhere)
    monkeypatch.setenv("BURSAR_SMTP_TLS", "none")
    with pytest.raises(ValueError, match="only for a server on this machine"):
        Settings()
    monkeypatch.setenv("BURSAR_SMTP_HOST", "localhost")
    assert Settings().smtp_tls == "none"
    monkeypatch.setenv("BURSAR_SMTP_FROM", "loans@lender.example\r\nBcc: x@example.com")
    with pytest.raises(ValueError, match="smtp_from"):
        Settings()
