"""The way to Stripe: the official SDK on Bursar's HTTP client, and what its errors mean to the port."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import httpx2
import stripe

from bursar.features.payments.ports import KeySpent, Malformed, NotSent, OutcomeUnknown, ProviderRefused
from bursar.features.payments.providers.stripe_reading import Object, failure_of, part

SECONDS_TO_CONNECT = 2
SECONDS_TO_ANSWER = 10
# Nothing was done: the key is not known, may not do it, or came too often.
_NOT_BEGUN = (401, 403, 429)

# The answer was kept with the key when it came first.
_REPLAYED = "idempotent-replayed"
PAGE = 100
# Further back than this nothing is looked for: what is not found then is unknown, not absent.
_MOST_PAGES = 20

Call = Callable[..., Awaitable[Any]]

# What this machine is and how long calls took is nobody's business.
stripe.enable_telemetry = False


class Transport(stripe.HTTPClient):
    """Carries the SDK's requests: two seconds to connect, ten in all, no redirects, no retries."""

    name = "httpx2"

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] The SDK leaves one of its parameters without a type.
        timeout = httpx2.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT)
        self._http = httpx2.AsyncClient(timeout=timeout, follow_redirects=False)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request.

        Raises:
            NotSent: there was no connection, so nothing has left.
            OutcomeUnknown: something may have been sent, and no whole answer came.
        """
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                answer = await self._http.request(method, url, headers=dict(headers), content=post_data)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotSent(type(error).__name__) from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise OutcomeUnknown(type(error).__name__) from error
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        """Close its connections."""
        await self._http.aclose()


def meaning(error: stripe.StripeError) -> Exception:
    """What an error of the SDK means to the port."""
    status = error.http_status or 0
    if status in _NOT_BEGUN:
        return NotSent(type(error).__name__)
    if status == 409 or status >= 500 or not status:
        return OutcomeUnknown(f"{status}")
    if isinstance(error, stripe.IdempotencyError):
        # The key stands for something else: whoever asks will learn what.
        return Malformed("the key was used for another call")
    if 200 <= status < 300:
        return Malformed("the answer is no JSON")
    problem = part(cast("Object", error.json_body), "error")
    return ProviderRefused(failure_of(problem), part(problem, "payment_intent").get("id"))


async def send(call: Call, params: dict[str, Any], key: str) -> tuple[Object, bool]:
    """Make a call under its key; its answer, and whether Stripe had it before."""
    try:
        answer = await call(params, {"idempotency_key": key})
    except stripe.StripeError as error:
        if (error.http_status or 0) >= 500 and _REPLAYED in (error.headers or {}):
            raise KeySpent(f"{error.http_status}") from error
        raise meaning(error) from error
    heard = answer.last_response
    return json.loads(heard.body), _REPLAYED in heard.headers


async def get(call: Call, reference: str, expand: Sequence[str] = ()) -> Object | None:
    """One object by its id; None when Stripe does not know it."""
    try:
        answer = await call(reference, {"expand": list(expand)} if expand else {})
    except stripe.StripeError as error:
        if error.http_status == 404:
            return None
        raise meaning(error) from error
    return json.loads(answer.last_response.body)


async def page_of(call: Call, params: dict[str, Any]) -> Object:
    """One page of a list."""
    try:
        answer = await call(params)
    except stripe.StripeError as error:
        raise meaning(error) from error
    return json.loads(answer.last_response.body)


async def walk(call: Call, params: dict[str, Any], most_pages: int = _MOST_PAGES) -> AsyncGenerator[Object]:
    """All of a list, newest first.

    Raises:
        OutcomeUnknown: it is longer than anybody looks through.
    """
    after: dict[str, str] = {}
    for _ in range(most_pages):
        page = await page_of(call, {**params, **after, "limit": PAGE})
        for one in page["data"]:
            yield one
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}
    raise OutcomeUnknown("there is more than is looked through")


async def every(call: Call, params: dict[str, Any], most_pages: int = _MOST_PAGES) -> list[Object]:
    """All of a list at once."""
    return [one async for one in walk(call, params, most_pages)]
