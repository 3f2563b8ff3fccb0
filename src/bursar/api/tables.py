"""Rows of one shape as CSV, for whoever accepts `text/csv`."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

_MEDIA_TYPE = "text/csv"

# What such an operation answers besides its JSON.
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "With `Accept: text/csv`, CSV."}
}


def _wants_csv(request: Request) -> bool:
    first, _, _ = request.headers.get("accept", "").partition(",")
    return first.partition(";")[0].strip().lower() == _MEDIA_TYPE


WantsCsv = Annotated[bool, Depends(_wants_csv)]


def csv_of(shape: type[BaseModel], rows: Sequence[BaseModel]) -> str:
    """A line of names and one for each row. For shapes without others' text only: it might be taken for a formula."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(shape.model_fields)
    writer.writerows([_cell(cell) for cell in row.model_dump(mode="json").values()] for row in rows)
    return written.getvalue()


def csv_response(shape: type[BaseModel], rows: Sequence[BaseModel]) -> Response:
    """The answer to a read as CSV."""
    return Response(csv_of(shape, rows), media_type=_MEDIA_TYPE)


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
