"""Settings come from the environment and have defaults that are right for a first start."""

from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# An empty one would be known to everybody.
Secret = Annotated[str, StringConstraints(min_length=16)]


class Settings(BaseSettings):
    """`BURSAR_…` variables; `DATABASE_URL` counts too, as hosting platforms set it."""

    model_config = SettingsConfigDict(env_prefix="BURSAR_", extra="ignore", hide_input_in_errors=True)

    database_url: str | None = Field(
        default=None, validation_alias=AliasChoices("BURSAR_DATABASE_URL", "DATABASE_URL"), repr=False
    )
    data: Path = Field(default_factory=lambda: user_data_path("bursar", appauthor=False))
    connections: int = Field(default=10, ge=2, le=1000)
    # The URL leads to a pooler that hands each transaction to any session, such as PgBouncer in transaction mode.
    pooled: bool = False
    statement_cache_size: int = Field(default=200, ge=0)
    requests_per_second: float = Field(default=100.0, ge=0)
    webauthn_rp_id: str = Field(default="localhost", pattern=r"^[a-z0-9.-]+$", max_length=253)
    webauthn_origin: str = Field(default="http://localhost:8000", pattern=r"^https?://[^/?#\s]+$")
    # Outside the sandbox its provider is there only when asked for: what it pays is no money.
    sandbox_provider: bool = False
    sandbox_webhook_secrets: list[Secret] = Field(default_factory=list[str], repr=False)
    # Another service in which accounts of this tenant may live (the sandbox's, else `main`), and our key there.
    upstream_url: str | None = Field(default=None, pattern=r"^https?://[^?#\s]+$")
    upstream_key: str | None = Field(default=None, pattern=r"^[\x21-\x7e]+$", repr=False)
    upstream_tenant: str | None = None
    upstream_connect_seconds: float = Field(default=2.0, gt=0, le=20)
    # Whoever sends a call has half a minute for it before somebody else may.
    upstream_seconds: float = Field(default=10.0, gt=0, le=20)
    # Stripe for one tenant; `stripe_api` is where it is, so that the simulator can stand in for it. A key goes in the
    # clear to this machine only.
    stripe_secret_key: str | None = Field(default=None, min_length=10, repr=False)
    stripe_webhook_secrets: list[Secret] = Field(default_factory=list[str], repr=False)
    stripe_api: str | None = Field(
        default=None, pattern=r"^(https://[^/?#\s@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)$"
    )
    stripe_tenant: str | None = Field(default=None, min_length=1)
    stripe_return_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    # How many days the bytes of answers are kept; their keys are kept for ever. None: for ever, too.
    answer_days: int | None = Field(default=None, ge=7, le=36_500)
    # How many days webhook deliveries are kept that are over.
    webhook_delivery_days: int = Field(default=30, ge=4, le=3650)
    # The mail server of reminders; what goes there is sent over TLS, but for one on this machine.
    smtp_host: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:-]+$")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_from: str | None = Field(default=None, pattern=r"^[^@\s<>,]+@[A-Za-z0-9.-]+$")
    smtp_user: str | None = None
    smtp_password: str | None = Field(default=None, repr=False)
    smtp_seconds: float = Field(default=10.0, gt=0, le=20)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @model_validator(mode="after")
    def _a_pooler_knows_no_prepared_statements(self) -> "Settings":
        """Unless it is said that it does: PgBouncer before 1.21 has a statement executed where it was not prepared."""
        if self.pooled and "statement_cache_size" not in self.model_fields_set:
            self.statement_cache_size = 0
        return self

    @model_validator(mode="after")
    def _mails_have_a_sender_and_tls(self) -> "Settings":
        if self.smtp_host and not self.smtp_from:
            raise ValueError("BURSAR_SMTP_HOST needs BURSAR_SMTP_FROM")
        if self.smtp_tls == "none" and self.smtp_host not in (None, "localhost", "127.0.0.1", "::1"):
            raise ValueError("BURSAR_SMTP_TLS may be none only for a server on this machine")
        return self
