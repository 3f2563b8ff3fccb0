"""The least that FastAPI does for a POST: it reads a transfer's body, checks it with Pydantic and answers."""

import gc
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

PATH: Final = "/empty"


class Order(BaseModel):
    """The body of a transfer."""

    source: str
    target: str
    amount: str
    currency: str


class Answer(BaseModel):
    """What the caller is told."""

    status: str


app: Final = FastAPI()


@app.post(PATH, status_code=201)
async def do_nothing(order: Order) -> Answer:
    """Answer at once."""
    return Answer(status=order.currency)


class Server(uvicorn.Server):
    """Has the collector leave alone what is alive at the start, as `bursar serve` does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as always, and then tell the collector."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)


def main() -> None:
    """Serve on a free port of the loopback, with the settings of `bursar serve`, until told to stop."""
    config = uvicorn.Config(app, access_log=False, log_level="warning", proxy_headers=False, server_header=False)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        print(f"The empty route is listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
