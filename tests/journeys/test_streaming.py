"""A stream of transfers: nothing twice, whatever breaks; nothing held but a batch; and it says where it stopped."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

import pytest

from bursar.client import AnswerLost, Bursar, BursarProblem, StreamStopped
from bursar.client.streaming import BATCH, in_batches
from bursar.wire.transfers import CreateTransfer, TransferResult, TransferResults
from tests.journeys.stage import Stage

# A batch and a part of another.
MANY = BATCH + 100


def one(number: int, amount: str = "0.01") -> CreateTransfer:
    return CreateTransfer(
        source="wallet", target="shop", amount=amount, currency="EUR", metadata={"number": str(number)}
    )


def asked(many: int = MANY) -> Iterator[CreateTransfer]:
    return (one(number) for number in range(1, many + 1))


async def ids_of(results: AsyncIterator[TransferResult]) -> list[str]:
    return [result.transfer.id async for result in results if result.transfer]


def streamed(
    by: Bursar, transfers: Iterable[CreateTransfer] | None = None, key: str = "payroll"
) -> AsyncIterator[TransferResult]:
    return by.stream_transfers(asked() if transfers is None else transfers, idempotency_key=key)


class Losing:
    """Has batches done by a client, and loses the answer to one of them."""

    def __init__(self, by: Bursar, lost: int) -> None:
        self._by = by
        self._left = lost

    async def __call__(self, batch: list[CreateTransfer], key: str) -> TransferResults:
        answer = await self._by.create_transfers(mode="each", transfers=batch, idempotency_key=key)
        self._left -= 1
        if not self._left:
            raise AnswerLost("create_transfers", "cut", key, changes=True, passing=True)
        return answer


async def test_results_come_in_the_order_of_the_stream(stage: Stage) -> None:
    results = [result async for result in streamed(stage.operator)]
    numbers = [result.transfer.metadata["number"] for result in results if result.transfer]
    assert numbers == [str(n) for n in range(1, MANY + 1)]
    assert await stage.available() == "989.00"


async def test_a_stream_that_broke_goes_on_where_it_stopped_and_pays_nothing_twice(stage: Stage) -> None:
    with pytest.raises(StreamStopped) as stopped:
        await ids_of(in_batches(asked(), Losing(stage.operator, 2), "payroll"))
    broken = stopped.value
    assert (broken.done, broken.posted, broken.size, broken.money_moved) == (BATCH, BATCH, 100, "unknown")
    assert (broken.retry, broken.passing, broken.faulty) == ("same_key", True, ())
    assert "SAME key" in str(broken)
    first, again = await ids_of(streamed(stage.operator)), await ids_of(streamed(stage.operator))
    assert len(set(first)) == MANY
    assert again == first
    assert await stage.available() == "989.00"


async def test_the_same_stream_twice_at_once_happens_once(stage: Stage) -> None:
    one_of_them, other = await asyncio.gather(*(ids_of(streamed(stage.operator)) for _ in range(2)))
    assert one_of_them == other
    assert await stage.available() == "989.00"


async def test_a_bad_transfer_is_named_and_its_batch_can_be_mended_under_the_same_key(stage: Stage) -> None:
    transfers = [*asked(BATCH + 20)]
    transfers[BATCH + 16] = one(BATCH + 17, "0.001")
    with pytest.raises(StreamStopped) as stopped:
        await ids_of(streamed(stage.operator, transfers))
    assert (stopped.value.faulty, stopped.value.done, stopped.value.size) == ((BATCH + 17,), BATCH, 20)
    assert (stopped.value.money_moved, stopped.value.failure.money_moved) == ("yes", "no")
    assert "Look at 1,017 of the stream." in str(stopped.value)
    assert await stage.available() == "990.00"
    transfers[BATCH + 16] = one(BATCH + 17)
    assert len(await ids_of(streamed(stage.operator, transfers))) == BATCH + 20
    assert await stage.available() == "989.80"


async def test_a_key_that_belongs_to_another_stream_moves_nothing(stage: Stage) -> None:
    await ids_of(streamed(stage.operator, [one(1)]))
    with pytest.raises(StreamStopped) as stopped:
        await ids_of(streamed(stage.operator, [one(2)]))
    failure = stopped.value.failure
    assert isinstance(failure, BursarProblem)
    assert (failure.code, stopped.value.money_moved) == ("idempotency_conflict", "no")
    assert "SAME key" not in stopped.value.next
    assert await stage.available() == "999.99"


async def test_what_is_refused_does_not_stop_the_others(stage: Stage) -> None:
    results = [r async for r in streamed(stage.operator, [one(1), one(2, "5000.00"), one(3)])]
    assert [r.problem.code if r.problem else "posted" for r in results] == ["posted", "insufficient_funds", "posted"]


async def test_no_more_than_a_batch_is_read_ahead_and_whoever_has_enough_stops_it() -> None:
    """However long the stream is: this one has no end."""
    read = 0

    async def endless() -> AsyncIterator[CreateTransfer]:
        nonlocal read
        while True:
            read += 1
            yield one(read)

    keys: list[str] = []

    async def send(batch: list[CreateTransfer], key: str) -> TransferResults:
        keys.append(key)
        refused = [TransferResult() for _ in batch]
        return TransferResults(mode="each", posted=0, pending=0, refused=len(batch), results=refused)

    had = 0
    async for _ in in_batches(endless(), send, "endless"):
        had += 1
        assert read - had < BATCH
        if had == 2 * BATCH + 1:
            break
    assert read == 3 * BATCH
    assert keys == ["endless:1", "endless:2", "endless:3"]
    assert [r async for r in in_batches((), send, "empty")] == []
