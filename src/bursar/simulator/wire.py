"""A call from its first byte to its answer: the key, the version, the parameters, idempotency, and planned faults."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from bursar.simulator import faults, form
from bursar.simulator.errors import Body, StripeError, server_error, turned_away
from bursar.simulator.operations import Operation, find
from bursar.simulator.reading import with_objects
from bursar.simulator.store import Store
from bursar.simulator.world import API_VERSION, Cause, World, new_id, text_of

_KEY = re.compile(r"(?:sk|rk)_test_[A-Za-z0-9_]{4,240}")
# Within a major version Stripe only adds.
_VERSION = re.compile(rf"20\d\d-\d\d-\d\d\.{API_VERSION.partition('.')[2]}")
_SECONDS_KEPT = 86_400
_UNTOUCHED = ("unavailable", "rate_limit", "reset_before")


class Call(NamedTuple):
    """A request as it came in; the names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is to be sent back, and how: `fault` is the rule that struck, `done` whether the work was done."""

    status: int
    body: str
    headers: dict[str, str]
    fault: Body | None = None


class Asked(NamedTuple):
    """A call that was understood."""

    operation: Operation
    target: str
    given: Body
    key: str | None
    digest: str


class Wire:
    """Takes calls one after the other; a key is in use until its answer has left."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.in_use: set[str] = set()

    def answer(self, call: Call) -> tuple[Answer, str | None]:
        """Do what a call asks; returns the answer, and the key that is in use until that has left."""
        request = new_id("req")[:18]
        name, key, struck, replayed = "", None, None, False
        try:
            asked = _understand(call)
            name, key = asked.operation.name, asked.key
            if key in self.in_use:
                raise turned_away(
                    "There is currently another in-progress request using this Idempotent Key (that probably means you "
                    f"submitted twice, and the other request is still going through): {key}. Please try again later.",
                    409,
                    code="idempotency_key_in_use",
                )
            with self.store.transaction():
                struck = faults.strike(self.store, name, faults.REQUEST_MODES)
                status, text, original = self._carry_out(asked, call.path, request, struck)
            replayed = original is not None
        except StripeError as error:
            status, text, original = error.status, text_of(error.body(request)), None
            key = None
        headers = {"Request-Id": request, "Stripe-Version": call.headers.get("stripe-version", API_VERSION)}
        if key:
            headers |= {"Idempotency-Key": key, "Original-Request": original or request}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        if status >= 500:
            headers["Stripe-Should-Retry"] = "true" if struck and struck["mode"] == "unavailable" else "false"
        self._log(request, name, call.path, key, status, struck, replayed=replayed)
        if key:
            self.in_use.add(key)
        return Answer(status, text, headers, struck), key

    def _carry_out(self, asked: Asked, path: str, request: str, struck: Body | None) -> tuple[int, str, str | None]:
        """The status and the text of the answer, and the first request's id if this repeats one."""
        mode = struck["mode"] if struck else None
        if mode in _UNTOUCHED:
            return *_untouched(mode, request), None
        world = World(self.store, Cause(request, asked.key))
        if asked.key:
            self.store.forget_answers(world.now - _SECONDS_KEPT)
            kept = self._kept(asked, path)
            if kept:
                return kept
        try:
            status, text = self._do(world, asked, mode)
        except StripeError as error:
            if not error.saved:
                raise
            status, text = error.status, text_of(error.body(request))
        if mode == "error_after":
            status, text = 500, text_of(server_error().body(request))
        if asked.key:
            self.store.keep(asked.key, path, asked.digest, status, text, request, world.now)
        return status, text, None

    def _do(self, world: World, asked: Asked, mode: str | None) -> tuple[int, str]:
        if mode == "error_before":
            raise server_error()
        problem: StripeError | None = None
        given = {name: value for name, value in asked.given.items() if name != "expand"}
        answer: Body = {}
        with self.store.attempt():
            try:
                body = asked.operation.does(world, given, asked.target)
                answer = with_objects(world, body, asked.given.get("expand", []))
            except StripeError as error:
                # What a declined card leaves behind stays.
                if not error.effects:
                    raise
                problem = error
        if problem:
            raise problem
        return 200, text_of(answer)

    def _kept(self, asked: Asked, path: str) -> tuple[int, str, str] | None:
        """The answer that is kept under this key.

        Raises:
            StripeError: the key was used for something else.
        """
        assert asked.key
        kept = self.store.kept(asked.key)
        if kept is None:
            return None
        other = f"Try using a key other than '{asked.key}' if you meant to execute a different request."
        if kept["path"] != path:
            raise turned_away(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{kept['path']}'). {other}",
                400,
                kind="idempotency_error",
            )
        if kept["digest"] != asked.digest:
            raise turned_away(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"{other}",
                400,
                kind="idempotency_error",
            )
        return kept["status"], kept["body"], kept["request"]

    def _log(
        self, request: str, name: str, path: str, key: str | None, status: int, struck: Body | None, *, replayed: bool
    ) -> None:
        mode = struck["mode"] if struck else None
        now = World(self.store).now
        with self.store.transaction():
            self.store.log(request, now, name, path, key, status or None, mode, replayed)


def _understand(call: Call) -> Asked:
    """Read a call.

    Raises:
        StripeError: it is not allowed, not known or not well formed; nothing is kept under its key.
    """
    _authenticate(call.headers.get("authorization", ""))
    version = call.headers.get("stripe-version")
    if version is not None and not _VERSION.fullmatch(version):
        raise turned_away(f"Invalid Stripe API version: {version}. The simulator speaks {API_VERSION}.", 400)
    found = find(call.method, call.path)
    if found is None:
        raise turned_away(
            f"Unrecognized request URL ({call.method}: {call.path}). Please see https://stripe.com/docs or we can help "
            "at https://support.stripe.com/.",
            404,
        )
    given = form.parse(_parameters(call))
    key = call.headers.get("idempotency-key") if call.method == "POST" else None
    if key is not None and not 1 <= len(key) <= 255:
        raise turned_away("Idempotency keys are 1 to 255 characters long.", 400, kind="idempotency_error")
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    return Asked(*found, given, key, digest)


def _parameters(call: Call) -> str:
    if call.method != "POST":
        return call.query
    kind = call.headers.get("content-type", "").partition(";")[0].strip()
    if call.body and kind != "application/x-www-form-urlencoded":
        raise turned_away(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
            "questions, we can help at https://support.stripe.com/.",
            400,
        )
    try:
        return call.body.decode("ascii")
    except UnicodeDecodeError:
        raise turned_away("Invalid request: the form is not percent-encoded.", 400) from None


def _authenticate(header: str) -> None:
    scheme, _, rest = header.partition(" ")
    key = rest.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if scheme.lower() not in ("basic", "bearer") or not key:
        raise turned_away(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            401,
        )
    if not _KEY.fullmatch(key):
        shown = f"{key[:8]}{'*' * 12}{key[-4:]}" if len(key) > 20 else "*" * 12
        raise turned_away(f"Invalid API Key provided: {shown}. The simulator takes sk_test_… keys only.", 401)


def _untouched(mode: str, request: str) -> tuple[int, str]:
    """The answer of a fault that comes before anything is done; nothing is kept under the key."""
    if mode == "reset_before":
        return 0, ""
    error = server_error(503)
    if mode == "rate_limit":
        message = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
        error = turned_away(message, 429, code="rate_limit")
    return error.status, text_of(error.body(request))
