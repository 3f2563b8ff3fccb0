"""The upstream over HTTP: `GET /accounts/{number}/balance` and `POST /transfers`, with a bearer key.

Only what says for certain that nothing happened is a refusal: a problem object whose `money_moved` is `no`, with a
status that the upstream pins to the key. Whatever else is no success may come after an earlier call that was one.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import orjson

from bursar.features.payments.ports import (
    Effect,
    Malformed,
    NotSent,
    OutcomeUnknown,
    ProviderRefused,
    Question,
    Report,
)
from bursar.features.payments.upstream import NAME, Available, Transfer, code_of
from bursar.kernel.money import EXPONENTS, show_minor

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
# An answer of these is the same for every call with its key. Who is not let in (401, 403), comes too often (429) or too
# early (an `after`, a `same_key`) may have been let in before.
_REFUSES = (400, 409, 422)
_DECIDED = ("never", "new_request")
_UNKNOWN = (404, "unknown_account")
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_BALANCE = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,4}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the upstream is: its base URL and our key there; how long to wait for a connection, and for an answer."""

    url: str
    key: str
    seconds_to_connect: float
    seconds_in_all: float


class HttpUpstream:
    """Another service, such as another Bursar."""

    name = NAME
    # It must know a key again for as long as it keeps the transfer, as Bursar does: for good.
    key_window_seconds = 100 * 365 * 86_400

    def __init__(self, place: Place) -> None:
        self._seconds = place.seconds_in_all
        timeout = httpx2.Timeout(place.seconds_in_all, connect=place.seconds_to_connect)
        headers = {"Authorization": f"Bearer {place.key}"}
        self._http = httpx2.AsyncClient(
            base_url=place.url, headers=headers, timeout=timeout, follow_redirects=False, trust_env=False
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def transfer(self, order: Transfer) -> Report:
        """Move money there."""
        amount = show_minor(order.amount_minor, order.currency)
        asked = {"from_account": order.source, "to_account": order.target, "amount": amount}
        answer = await self._send("POST", "/transfers", {"Idempotency-Key": order.key}, asked)
        told = _object(answer)
        if not 200 <= answer.status_code < 300:
            raise _meaning(answer.status_code, told)
        reference = told.get("request_id")
        # One that waits for a person there has no id yet, and says nothing of what will become of it.
        if told.get("status") != "ok" or not isinstance(reference, str) or not _ID.fullmatch(reference):
            raise Malformed("no transfer in the answer")
        currency = told.get("currency", order.currency)
        minor = _minor(told.get("amount", amount), currency)
        effect = Effect(reference, "transfer", minor, currency, key=order.key, about=reference)
        return Report(order.key, "transfer", reference, "succeeded", minor, currency, (effect,))

    async def ask(self, question: Question) -> Report | None:
        """It can only be called again."""
        del question

    async def balance(self, number: str) -> Available:
        """What an account has there."""
        answer = await self._send("GET", f"/accounts/{quote(number, safe='')}/balance", {}, None)
        told = _object(answer)
        if (answer.status_code, told.get("code")) == _UNKNOWN:
            raise ProviderRefused("unknown_account")
        if answer.status_code != 200:
            raise OutcomeUnknown(f"{answer.status_code}")
        currency = told.get("currency")
        return Available(_minor(told.get("balance"), currency), str(currency))

    async def _send(self, method: str, path: str, headers: dict[str, str], asked: Any) -> httpx2.Response:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._http.request(method, path, headers=headers, json=asked)
        except _NEVER_SENT as error:
            raise NotSent(type(error).__name__) from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise OutcomeUnknown(type(error).__name__) from error


def _meaning(status: int, told: dict[str, Any]) -> Exception:
    code = told.get("code")
    decided = told.get("money_moved") == "no" and told.get("retry") in _DECIDED and code != "idempotency_conflict"
    refused = decided and (status in _REFUSES or (status, code) == _UNKNOWN)
    return ProviderRefused(code_of(code)) if refused else OutcomeUnknown(f"{status}")


def _object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        told = orjson.loads(answer.content)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}  # pyright: ignore[reportUnknownVariableType] -- anybody's JSON


def _minor(text: object, currency: object) -> int:
    """Decimal text as minor units, exactly."""
    exponent = EXPONENTS.get(currency) if isinstance(currency, str) else None
    match = _BALANCE.fullmatch(text) if isinstance(text, str) else None
    if exponent is None or match is None or len(match[3] or "") > exponent:
        raise Malformed("an amount that cannot be read")
    return int(match[1] + match[2] + (match[3] or "").ljust(exponent, "0"))
