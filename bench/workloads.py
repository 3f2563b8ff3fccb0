"""What is asked of every service: who pays whom, as ready requests."""

import itertools
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Final

from bench.wire import Endpoint, post

# An account that the sandbox has.
PAID: Final = "ACC10001"
PREFIX: Final = "BENCH"
ACCOUNTS: Final = tuple(f"{PREFIX}{n:05d}" for n in range(1_000))

# How many transfers go in one request, where they go in batches.
BATCH: Final = 1_000
# How many orders in a row have amounts of their own.
AMOUNTS: Final = 70_000

Pick = Callable[[Random], tuple[int, int]]


def any_two(rng: Random, payers: int = len(ACCOUNTS), accounts: int = len(ACCOUNTS)) -> tuple[int, int]:
    """One of the first so many, and any other account."""
    source = int(rng.random() * payers)
    return source, (source + 1 + int(rng.random() * (accounts - 1))) % accounts


def from_one(rng: Random) -> tuple[int, int]:
    """Always the same source, any other target."""
    return 0, 1 + int(rng.random() * (len(ACCOUNTS) - 1))


# What is counted against a cap of dollars.
ONE_DOLLAR: Final = "one dollar each"
HOT: Final = "one hot account"
WORKLOADS: Final[Mapping[str, Pick]] = {HOT: from_one, ONE_DOLLAR: any_two}


def any_of(accounts: int, payers: int | None = None) -> str:
    """The workload in which so many accounts pay each other, or only the first of them pay."""
    return f"{f'{payers:,} of ' if payers else ''}{accounts:,} accounts"


ANY_TWO: Final = any_of(len(ACCOUNTS))
# Few, so that both directions of a pair meet often: locks taken in the request's order deadlock.
TWENTY: Final = any_of(20)
COMPARED: Final = (ANY_TWO, HOT, TWENTY)


def pick_of(workload: str) -> Pick:
    """Who pays whom in a workload."""
    if workload in WORKLOADS:
        return WORKLOADS[workload]
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", workload)]
    return lambda rng: any_two(rng, numbers[0], numbers[-1])


def payments(endpoint: Endpoint) -> Iterator[bytes]:
    """Endless payments of a dollar into one account, each an intent of its own."""
    asked = {"account": PAID, "amount": "1.00", "currency": "USD", "payment_method": endpoint.pays_by}
    body, run = json.dumps(asked), secrets.token_hex(8)
    return (post(endpoint, endpoint.path, body, f"{run}-{n}") for n in itertools.count())


def transfers(endpoint: Endpoint, workload: str, seed: int) -> Iterator[bytes]:
    """Endless transfers, each an intent of its own."""
    askers, run = [endpoint, *(replace(endpoint, key=other) for other in endpoint.others)], secrets.token_hex(8)
    for n, order in enumerate(orders(workload, seed)):
        yield post(askers[n % len(askers)], endpoint.path, transfer_body(*order), f"{run}-{n}")


def batches(endpoint: Endpoint, workload: str, seed: int, mode: str) -> Iterator[bytes]:
    """Endless batches of transfers, each batch an intent of its own."""
    asked, run = orders(workload, seed), secrets.token_hex(8)
    for n in itertools.count():
        together = ",".join(transfer_body(*order) for order in itertools.islice(asked, BATCH))
        yield post(endpoint, f"{endpoint.path}/batch", f'{{"mode":"{mode}","transfers":[{together}]}}', f"{run}-{n}")


def orders(workload: str, seed: int) -> Iterator[tuple[str, str, str]]:
    """Endless sources, targets and amounts; the same seed picks the same ones.

    No amount comes again within a second or two: the guard against duplicates has to look, and to find nothing.
    """
    pick, rng = pick_of(workload), Random(seed)  # noqa: S311  # repeatable, not secret
    for n in itertools.count():
        source, target = pick(rng)
        dollars, cents = divmod(100 + n % AMOUNTS, 100)
        amount = "1.00" if workload == ONE_DOLLAR else f"{dollars}.{cents:02d}"
        yield f"{PREFIX}{source:05d}", f"{PREFIX}{target:05d}", amount


def transfer_body(source: str, target: str, amount: str) -> str:
    """The JSON of a transfer; a format string, because json.dumps would cost the generator four times as much."""
    return f'{{"source":"{source}","target":"{target}","amount":"{amount}","currency":"USD"}}'
