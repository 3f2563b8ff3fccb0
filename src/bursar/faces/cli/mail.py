"""Which port the mails of reminders go through, by the settings."""

from bursar.features.collections.mailing import Send, log, nowhere
from bursar.features.collections.smtp import MailServer, port_to
from bursar.kernel.settings import Settings


def mail_port(settings: Settings, *, is_sandbox: bool) -> Send:
    """A mail server where one is configured; else the log in the sandbox, and nowhere outside it."""
    if settings.smtp_host is None:
        return log if is_sandbox else nowhere
    assert settings.smtp_from
    return port_to(
        MailServer(
            settings.smtp_host, settings.smtp_port, settings.smtp_from, settings.smtp_tls, settings.smtp_user,
            settings.smtp_password, settings.smtp_seconds,
        )
    )  # fmt: skip
