"""What the settings of the upstream must be before anybody is served."""

import pytest

from bursar.faces.cli.place import CannotServe
from bursar.faces.cli.upstream import upstream_of
from bursar.kernel.settings import Settings


def settings_of(monkeypatch: pytest.MonkeyPatch, url: str | None, key: str | None, database: str | None) -> Settings:
    given = {"BURSAR_UPSTREAM_URL": url, "BURSAR_UPSTREAM_KEY": key, "BURSAR_DATABASE_URL": database}
    for name in (*given, "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        if value:
            monkeypatch.setenv(name, value)
    return Settings()


OWN = "postgresql://localhost/bank"


@pytest.mark.parametrize(
    ("url", "key", "database", "why"),
    [
        ("https://bank.example", None, OWN, "BURSAR_UPSTREAM_KEY"),
        ("http://bank.example", "key", OWN, "https://"),
        ("http://bank.example", "key", None, "https://"),
        ("https://bank.example", "key", None, "sandbox"),
        ("http://127.0.0.1:8000", "bk_live_key", None, "sandbox"),
    ],
)
def test_what_would_give_the_key_or_the_money_away_is_not_served(
    monkeypatch: pytest.MonkeyPatch, url: str, key: str | None, database: str | None, why: str
) -> None:
    with pytest.raises(CannotServe, match=why):
        upstream_of(settings_of(monkeypatch, url, key, database))


@pytest.mark.parametrize(
    ("url", "key", "database"),
    [
        ("https://bank.example/api", "key", OWN), ("http://127.0.0.1:8000", "bk_live_key", OWN),
        ("http://localhost:8000", "bk_test_key", None), ("http://[::1]:8000", "bk_test_key", None),
    ],
)  # fmt: skip
async def test_the_rest_is(monkeypatch: pytest.MonkeyPatch, url: str, key: str, database: str | None) -> None:
    upstream = upstream_of(settings_of(monkeypatch, url, key, database))
    assert upstream
    await upstream.close()


def test_without_a_url_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert upstream_of(settings_of(monkeypatch, None, "key", None)) is None


def test_no_setting_waits_longer_than_whoever_sends_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_UPSTREAM_SECONDS", "30")
    with pytest.raises(ValueError, match="upstream_seconds"):
        Settings()


def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret-key" not in repr(settings_of(monkeypatch, "https://bank.example", "secret-key", OWN))
