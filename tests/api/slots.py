"""Every place in every request that takes text."""

import json
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from bursar.kernel.ids import new_id
from tests.api.operations import Operation, Place, fields
from tests.api.sending import Request
from tests.api.stock import Stock


@dataclass(frozen=True, slots=True)
class Slot:
    """One place that takes text, in an otherwise valid request."""

    request: Request
    kind: str
    at: Place

    def filled(self, text: str) -> Request:
        """The request with this text there."""
        if self.kind == "body":
            return _anew(self.request, self.at).with_literal(self.at, json.dumps(text))
        return self.filled_raw(quote(text, safe="", errors="surrogatepass"))

    def filled_raw(self, encoded: str) -> Request:
        """The same for a path or query that is encoded already."""
        if self.kind == "path":
            return replace(self.request, path=self.request.path.replace("@slot@", encoded))
        others = {name: value for name, value in self.request.query.items() if name != self.at[0]}
        return replace(
            self.request, query={}, path=f"{self.request.path}?{urlencode([*others.items()])}&{self.at[0]}={encoded}"
        )


def _anew(request: Request, at: Place) -> Request:
    """The same for another applicant, or a card of another name, so that it can be made again."""
    if "ramps" in request.body and at != ("name",):
        return replace(request, body={**request.body, "name": f"c{new_id().hex[:20]}"})
    if at == ("email",) or "email" not in request.body:
        return request
    return replace(request, body={**request.body, "email": f"{new_id().hex}@example.com"})


async def slots(stock: Stock, operations: list[Operation]) -> list[Slot]:
    """Every place in every request that takes text: parts of the path, the query, and fields of the body."""
    found: list[Slot] = []
    for operation in operations:
        request = await stock.request(operation)
        in_path = [(name, await stock.request(operation, **{name: "@slot@"})) for name in operation.named("path")]
        found += [Slot(asked, "path", (name,)) for name, asked in in_path]
        found += [Slot(request, "query", (name,)) for name in operation.named("query")]
        if operation.body:
            found += [Slot(request, "body", at) for at, _ in fields(operation.body)]
    return found
