"""The transfer service a tutorial would have written, made as fast as its design allows, to keep the ratios fair."""

import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Final, TypeAlias

import psycopg
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, Field

PATH: Final = "/transfers"
POOL_SIZE: Final = 10

SCHEMA: Final = """
CREATE TABLE accounts (
    number   text PRIMARY KEY,
    currency text NOT NULL,
    balance  numeric(20, 2) NOT NULL CHECK (balance >= 0)
);
CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text NOT NULL,
    target     text NOT NULL,
    amount     numeric(20, 2) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""

Connection: TypeAlias = psycopg.Connection[TupleRow]
Pool: TypeAlias = ConnectionPool[Connection]


class TransferOrder(BaseModel):
    """What the caller asks for."""

    source: str
    target: str
    amount: Annotated[Decimal, Field(gt=0)]
    currency: str


class TransferMade(BaseModel):
    """What the caller is told."""

    id: int
    status: str


def lock_balance(connection: Connection, number: str) -> Decimal:
    """The account's balance, its row locked until the transaction ends."""
    row = connection.execute("SELECT balance FROM accounts WHERE number = %s FOR UPDATE", (number,)).fetchone()
    if row is None:
        raise HTTPException(404, "unknown account")
    return row[0]


def transfer(connection: Connection, order: TransferOrder) -> int:
    """Move the money and return the audit row's id; locks are taken in the request's order, as tutorials do."""
    available = lock_balance(connection, order.source)
    lock_balance(connection, order.target)
    if available < order.amount:
        raise HTTPException(400, "insufficient funds")
    move = "UPDATE accounts SET balance = balance + %s WHERE number = %s"
    connection.execute(move, (-order.amount, order.source))
    connection.execute(move, (order.amount, order.target))
    audit = "INSERT INTO audit (source, target, amount) VALUES (%s, %s, %s) RETURNING id"
    row = connection.execute(audit, (order.source, order.target, order.amount)).fetchone()
    assert row is not None
    return row[0]


def create_app(pool: Pool) -> FastAPI:
    """The whole service: one synchronous route, which FastAPI runs in its thread pool."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        with pool:
            pool.wait()
            yield

    app = FastAPI(lifespan=lifespan)

    # Uvicorn drops the connection of an unhandled error, which would count every deadlock against the baseline twice.
    @app.exception_handler(psycopg.Error)
    async def answer_database_error(_: Request, error: Exception) -> Response:
        return Response(str(error), status_code=500)

    @app.post(PATH, status_code=201)
    def create_transfer(order: TransferOrder) -> TransferMade:
        with pool.connection() as connection:
            return TransferMade(id=transfer(connection, order), status="ok")

    return app


def create_accounts(url: str, numbers: Sequence[str], funds: Decimal) -> None:
    """Create the tables and the accounts, each holding `funds` US dollars, in an empty database."""
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA)
        insert = "INSERT INTO accounts SELECT number, 'USD', %s FROM unnest(%s::text[]) AS number"
        connection.execute(insert, (funds, list(numbers)))


def main(url: str) -> None:
    """Serve the database at `url` on a free port of the loopback until told to stop."""
    # psycopg prepares a statement on its sixth use and commits at the end of the pool's block, both its defaults.
    pool = Pool(url, min_size=POOL_SIZE, max_size=POOL_SIZE, open=False)
    # A critical-only log spares the baseline the cost of formatting a traceback per deadlock.
    config = uvicorn.Config(create_app(pool), loop="uvloop", http="httptools", access_log=False, log_level="critical")
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        print(f"Baseline is listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
