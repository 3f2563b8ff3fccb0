"""More transfers than one request takes: one batch after the other, under keys made of one.

No more than one batch is held, by whoever sends and by the service. What is sent again from its beginning under the
same key is answered with what was done, as far as that got, and goes on from there.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable

from bursar.client.failures import BursarProblem, CallFailed
from bursar.wire.transfers import CreateTransfer, TransferResult, TransferResults

# It says which transfers are one batch, and so under which key: with another size, a stream that broke under this one
# could not be taken up again. It would be refused, not done twice.
BATCH = 1_000

Transfers = Iterable[CreateTransfer] | AsyncIterable[CreateTransfer]
Send = Callable[[list[CreateTransfer], str], Awaitable[TransferResults]]

# How a problem begins that is about one transfer of its batch.
_PLACE = re.compile(r"transfers\.([0-9]+)\.")


class StreamStopped(CallFailed):
    """One batch of a stream came to nothing, or to nobody knows what; those before it are done, none after it was sent.

    `done` counts the transfers before it, which all have their results, `posted` those of them that moved money; `size`
    is how many were in the batch. `failure` is what became of it, and `faulty` the places in the stream, from 1, of the
    transfers that it is about, where it names any.
    """

    def __init__(self, failure: CallFailed, done: int, posted: int, size: int) -> None:
        """What stopped it, and where."""
        self.operation = failure.operation
        self.failure = failure
        self.done = done
        self.posted = posted
        self.size = size
        self.faulty = _faulty(failure, done)
        self.money_moved = "yes" if posted and failure.money_moved == "no" else failure.money_moved
        self.retry = failure.retry
        helps = bool(self.faulty) or failure.retry in ("same_key", "after")
        self.next = _AGAIN if helps else failure.next
        self.passing = failure.passing
        self.retry_after_seconds = failure.retry_after_seconds
        named = f" Look at {', '.join(f'{place:,}' for place in self.faulty)} of the stream." if self.faulty else ""
        super().__init__(
            f"{done:,} transfers are done, {posted:,} of them posted. Of the {size:,} after them money moved:"
            f" {failure.money_moved}. {failure}{named}{f' {_AGAIN}' if helps else ''}"
        )


_AGAIN = "Send the whole stream again from its first transfer under the SAME key: what is done is not done again."


async def in_batches(transfers: Transfers, send: Send, key: str) -> AsyncIterator[TransferResult]:
    """What became of each, in order; `send` has a batch done under its key. Raises StreamStopped."""
    done = posted = 0
    async for batch in _batches(transfers):
        try:
            answer = await send(batch, f"{key}:{done // BATCH + 1}")
        except CallFailed as failure:
            raise StreamStopped(failure, done, posted, len(batch)) from failure
        done += len(batch)
        posted += answer.posted
        for result in answer.results:
            yield result


async def _batches(transfers: Transfers) -> AsyncIterator[list[CreateTransfer]]:
    batch: list[CreateTransfer] = []
    async for transfer in _each(transfers):
        batch.append(transfer)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _each(transfers: Transfers) -> AsyncIterator[CreateTransfer]:
    if isinstance(transfers, AsyncIterable):
        async for transfer in transfers:
            yield transfer
    else:
        for transfer in transfers:
            yield transfer


def _faulty(failure: CallFailed, done: int) -> tuple[int, ...]:
    if not isinstance(failure, BursarProblem):
        return ()
    return tuple(sorted({done + int(place) + 1 for place in _PLACE.findall(failure.problem.detail)}))
