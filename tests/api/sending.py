"""A request that is ready to be sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from tests.api.operations import Place, with_literal


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is ready to be sent, by whoever holds a key; `content` is the exact text of its body."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    content: str | bytes | None = None

    def with_literal(self, at: Place, literal: str) -> "Request":
        """The same with this JSON text in place of one field."""
        return replace(self, content=with_literal(self.body, at, literal))

    async def send(self, client: httpx2.AsyncClient, headers: Mapping[str, str]) -> httpx2.Response:
        """Send it with these headers."""
        content = self.content if self.content is not None else json.dumps(self.body) if self.body else None
        kind = {"Content-Type": "application/json"} if content is not None else {}
        return await client.request(
            self.method, self.path, params=self.query or None, content=content, headers={**kind, **headers}
        )
