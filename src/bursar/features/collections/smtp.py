"""The delivery port to a mail server: SMTP over TLS, a connection for each mail, in a thread of its own."""

import asyncio
import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Literal

from bursar.features.collections.mailing import Letter, Result, Send

# Headers and bodies go as ASCII, whatever the server can do.
_POLICY = SMTP.clone(cte_type="7bit")
_NOT_REACHED = Result("not_now", "The mail server was not reached, or did not let us in.")


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server and who we are there. `none` is no TLS at all: for a server on this machine."""

    host: str
    port: int
    sender: str
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    # For each answer of the server.
    seconds: float = 10.0
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)


def port_to(server: MailServer) -> Send:
    """The port to this server."""

    async def send(letter: Letter) -> Result:
        return await asyncio.to_thread(_send, server, letter)

    return send


def _send(server: MailServer, letter: Letter) -> Result:
    try:
        text = _message(server, letter)
    except ValueError:
        return Result("refused", "The address or the words do not fit into the header of a mail.")
    try:
        connection = _connected(server)
    except (OSError, smtplib.SMTPException):
        return _NOT_REACHED
    try:
        return _handed_over(connection, server.sender, letter.recipient, text)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()


def _message(server: MailServer, letter: Letter) -> bytes:
    """The mail as bytes; ValueError where a header would have a line feed in it."""
    message = EmailMessage(_POLICY)
    message["From"] = server.sender
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    # The same at every attempt, so that a receiver can tell a mail that came twice.
    message["Message-ID"] = f"<{letter.reference}@{server.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    return message.as_bytes()


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.tls == "tls":
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=server.seconds, context=server.context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=server.seconds)
    try:
        connection.ehlo()
        if server.tls == "starttls":
            # It raises when the server offers none: nothing goes in the clear.
            connection.starttls(context=server.context)
        if server.user is not None:
            connection.login(server.user, server.password or "")
    except BaseException:
        connection.close()
        raise
    return connection


def _handed_over(connection: smtplib.SMTP, sender: str, recipient: str, text: bytes) -> Result:
    try:
        for command, address in ((connection.mail, sender), (connection.rcpt, recipient)):
            code, _ = command(address)
            if code not in (250, 251):
                return _said_no(code)
    except (OSError, smtplib.SMTPException):
        return _NOT_REACHED
    try:
        code, _ = connection.data(text)
    except smtplib.SMTPDataError as error:
        return _said_no(error.smtp_code)
    except (OSError, smtplib.SMTPException):
        return Result("unknown", "The connection was lost before the mail server had said whether it took the mail.")
    return Result("sent") if code == 250 else _said_no(code)


def _said_no(code: int) -> Result:
    return Result("refused" if code >= 500 else "not_now", f"The mail server answered {code}.")
