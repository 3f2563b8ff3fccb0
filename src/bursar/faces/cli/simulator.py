"""`bursar simulator`: the payment provider for tests."""

from pathlib import Path

from bursar.faces.cli.place import CannotServe
from bursar.kernel.settings import Settings
from bursar.simulator import serving
from bursar.simulator.store import InUse, Store


async def simulate(port: int, data: Path | None) -> None:
    """Serve until SIGINT or SIGTERM."""
    directory = data or Settings().data / "simulator"
    try:
        Store(directory).close()
        bound = serving.bind(port)
    except InUse as error:
        raise CannotServe(str(error)) from error
    except OSError as error:
        raise CannotServe(f"Cannot listen on {serving.HOST}:{port}: {error.strerror or error}.") from error
    await serving.serve(directory, bound, _say)


def _say(address: str) -> None:
    print(f"The simulator is listening on {address}", flush=True)
