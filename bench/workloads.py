"""What is asked of both services: who pays whom, as ready requests."""

import itertools
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Final

from bench.wire import Endpoint, post

# An account that the sandbox has.
PAID: Final = "ACC10001"
ACCOUNTS: Final = tuple(f"BENCH{n:05d}" for n in range(1_000))

Pick = Callable[[Random], tuple[int, int]]


def any_two(rng: Random, accounts: int = len(ACCOUNTS)) -> tuple[int, int]:
    """Two different accounts out of the first few or all of them."""
    source = int(rng.random() * accounts)
    return source, (source + 1 + int(rng.random() * (accounts - 1))) % accounts


def two_of_few(rng: Random) -> tuple[int, int]:
    """Twenty accounts, so that both directions of a pair meet often: locks taken in the request's order deadlock."""
    return any_two(rng, 20)


def from_one(rng: Random) -> tuple[int, int]:
    """Always the same source, any other target."""
    return 0, 1 + int(rng.random() * (len(ACCOUNTS) - 1))


ANY_TWO: Final = "1,000 accounts"
# What is counted against a cap of dollars.
ONE_DOLLAR: Final = "one dollar each"
WORKLOADS: Final[Mapping[str, Pick]] = {
    ANY_TWO: any_two,
    "20 accounts": two_of_few,
    "one hot account": from_one,
    ONE_DOLLAR: any_two,
}
COMPARED: Final = tuple(workload for workload in WORKLOADS if workload != ONE_DOLLAR)


def payments(endpoint: Endpoint) -> Iterator[bytes]:
    """Endless payments of a dollar into one account, each an intent of its own."""
    asked = {"account": PAID, "amount": "1.00", "currency": "USD", "payment_method": endpoint.pays_by}
    body, run = json.dumps(asked), secrets.token_hex(8)
    return (post(endpoint, endpoint.path, body, f"{run}-{n}") for n in itertools.count())


def transfers(endpoint: Endpoint, workload: str, seed: int) -> Iterator[bytes]:
    """Endless small transfers, each an intent of its own; the same seed picks the same accounts and amounts.

    Amounts differ, as they do in life: the guard against duplicates has to look, and to find nothing.
    """
    pick, rng, run = WORKLOADS[workload], Random(seed), secrets.token_hex(8)  # noqa: S311  # repeatable, not secret
    askers = [endpoint, *(replace(endpoint, key=other) for other in endpoint.others)]
    for n in itertools.count():
        source, target = pick(rng)
        amount = "1.00" if workload == ONE_DOLLAR else f"{1 + n % 9}.{n % 97:02d}"
        yield post(
            askers[n % len(askers)],
            endpoint.path,
            transfer_body(ACCOUNTS[source], ACCOUNTS[target], amount),
            f"{run}-{n}",
        )


def transfer_body(source: str, target: str, amount: str) -> str:
    """The JSON of a transfer; a format string, because json.dumps would cost the generator four times as much."""
    return f'{{"source":"{source}","target":"{target}","amount":"{amount}","currency":"USD"}}'
