"""What commands have in common: their options, and how they run."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter
from cyclopts.validators import Number

Result = TypeVar("Result")
Data = Annotated[Path | None, Parameter(help="Bursar's data directory. Default: the platform's, or BURSAR_DATA.")]
Port = Annotated[int, Parameter(help="0 picks a free one.", validator=Number(gte=0, lte=65_535))]
Tenant = Annotated[str | None, Parameter(help="The tenant's name. Default: sandbox; main on a database of yours.")]
Mapping = Annotated[str, Parameter(help="A built-in mapping's name, such as berka, or the path of a TOML file.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON and nothing else.")]
Operator = Annotated[str, Parameter(help="The operator in whose name this is done.")]


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command to its end; SIGTERM ends it as Ctrl-C does, with everything it started."""
    import uvloop

    async def whole() -> Result:
        task = asyncio.current_task()
        assert task
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.Runner(loop_factory=uvloop.new_event_loop).run(whole())
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)
