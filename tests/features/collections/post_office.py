"""A mail server on this machine, with TLS and a password, that can be told to fail at any point."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bursar.features.collections.smtp import MailServer

USER, PASSWORD = "bursar", "a password of a mail server"


@dataclass(slots=True)
class Office:
    """What the server took, and what it answers; `hangs_up` after the text has come and before it is answered."""

    port: int = 0
    taken: list[bytes] = field(default_factory=list[bytes])
    to: list[str] = field(default_factory=list[str])
    seen: list[str] = field(default_factory=list[str])
    rcpt_says: str = "250 OK"
    data_says: str = "250 OK"
    hangs_up: bool = False

    async def handle_RCPT(  # noqa: N802 -- the library's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        self.seen.append(address)
        if self.rcpt_says.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_says

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del session
        if self.data_says.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.taken.append(envelope.content)
            self.to += envelope.rcpt_tos
        if self.hangs_up:
            server.transport.abort()
        return self.data_says


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of `localhost`, by nobody: the server's context, and the client's that knows it."""

    ours: ssl.SSLContext
    theirs: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pem, secret)
    return Certificate(ours, ssl.create_default_context(cafile=str(pem)))


def _login(server: Any, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    del server, session, envelope, mechanism
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))


@asynccontextmanager
async def open_office(certificate: Certificate | None = None, *, implicit: bool = False) -> AsyncGenerator[Office]:
    """A server that offers STARTTLS and asks for a password, or speaks TLS from the start; without one, neither."""
    office = Office()
    more: dict[str, Any] = {}
    if certificate and not implicit:
        more = {
            "tls_context": certificate.ours, "require_starttls": True, "auth_required": True, "authenticator": _login,
        }  # fmt: skip
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(office, hostname="localhost", **more),
        "127.0.0.1",
        0,
        ssl=certificate.ours if certificate and implicit else None,
    )
    async with server:
        office.port = server.sockets[0].getsockname()[1]
        yield office


def server_of(office: Office, certificate: Certificate | None = None, **more: Any) -> MailServer:
    """How that server is reached."""
    server = MailServer("localhost", office.port, "loans@lender.example", "none", seconds=2.0)
    if certificate:
        server = replace(server, tls="starttls", user=USER, password=PASSWORD, context=certificate.theirs)
    return replace(server, **more)
