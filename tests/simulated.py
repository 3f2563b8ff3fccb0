"""`bursar simulator` as a process of its own, the official SDK that talks to it, and a receiver for its webhooks."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import stripe

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
_SAYS = "The simulator is listening on "
_SECONDS_TO_STOP = 15

# What a plain payment by card is made with.
CARD: Any = {
    "allowed_payment_method_types": ["card"],
    "capture_method": "automatic",
    "confirm": True,
    "currency": "usd",
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulator that listens at `url`."""

    process: subprocess.Popen[str]
    url: str

    @property
    def sdk(self) -> stripe.StripeClient:
        """The official SDK, pointed here, without retries of its own."""
        client = stripe.RequestsClient(timeout=20)
        return stripe.StripeClient(KEY, base_addresses={"api": self.url}, max_network_retries=0, http_client=client)

    def control(self, method: str, name: str, **body: Any) -> Any:
        """Call the simulator's own API; it must agree."""
        status, answer = self.asked(method, name, **body)
        assert status == 200, answer
        return answer

    def asked(self, method: str, name: str, **body: Any) -> tuple[int, Any]:
        """Call the simulator's own API: the status and the answer."""
        content = json.dumps(body) if body else None
        with httpx2.Client(trust_env=False, timeout=60) as client:
            answer = client.request(method, f"{self.url}/_control/{name}", content=content)
        return answer.status_code, answer.json()

    def wire(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> httpx2.Response:
        """A bare request, authorized unless the headers say otherwise."""
        given = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx2.Client(trust_env=False, timeout=20) as client:
            return client.request(method, self.url + path, content=body, headers=given)

    def books(self) -> Any:
        """The provider's books, which must agree with themselves."""
        books = self.control("GET", "books")
        assert books["disagreements"] == []
        return books

    def pay(self, amount: int = 2000, card: str = "visa", **more: Any) -> stripe.PaymentIntent:
        """A payment by a test card, captured at once unless told otherwise."""
        params = {**CARD, "amount": amount, "payment_method": f"pm_card_{card}", **more}
        return self.sdk.v1.payment_intents.create(params)  # pyright: ignore[reportArgumentType] A dict made in parts.

    def advance(self, seconds: float) -> None:
        """Let time pass at the provider, with all that comes meanwhile."""
        self.control("POST", "clock", advance=seconds)


@contextmanager
def simulating(data: Path, port: int = 0) -> Generator[Simulated]:
    """A simulator on this directory; stopped at the end if it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BURSAR_", "DATABASE_URL"))}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bursar", "simulator", "--port", str(port), "--data", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        env=kept,
    )
    assert process.stdout
    try:
        said = process.stdout.readline()
        assert said.startswith(_SAYS), f"it said {said!r} and ended with {process.poll()}"
        yield Simulated(process, said.removeprefix(_SAYS).strip())
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_STOP)
            finally:
                process.kill()
        process.stdout.close()


@dataclass(slots=True)
class Receiver:
    """An endpoint of a shop: what came in, in order, and what it answers."""

    url: str = ""
    status: int = 200
    got: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])

    def events(self, secret: str) -> list[stripe.Event]:
        """All deliveries, verified by the SDK."""
        return [stripe.Webhook.construct_event(payload, header, secret) for payload, header in self.got]

    def types(self) -> list[str]:
        """What kinds of events came, in order."""
        return [json.loads(payload)["type"] for payload, _ in self.got]


@contextmanager
def receiving() -> Generator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((payload, self.headers["Stripe-Signature"]))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
