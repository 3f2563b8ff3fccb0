"""Every operation as the OpenAPI document has it: what is new is attacked from its first day."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from bursar.wire.fields import AMOUNT_PATTERN

# Steps into a JSON body: names and indexes.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is called, and the schemas of what it takes."""

    id: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None
    documented: frozenset[int]

    @property
    def is_service(self) -> bool:
        """About the service itself, for anyone."""
        return self.path in ("/healthz", "/readyz", "/metrics")

    @property
    def changes(self) -> bool:
        """Not only a read; a check looks at what is in a body and changes nothing."""
        return self.method == "POST" and not self.path.endswith("/check")

    @property
    def needs_a_security_key(self) -> bool:
        """Only what a security key answers makes it succeed; test_credentials has one."""
        return self.id in ("create_credential", "create_challenge")

    @property
    def needs_a_lease(self) -> bool:
        """Only who has claimed the step may; test_jobs has claims."""
        return self.id in ("renew_step", "complete_step", "fail_step", "hand_over_step")

    def named(self, where: str) -> list[str]:
        """The names of its parameters in the path, query or header."""
        return [p["name"] for p in self.parameters if p["in"] == where]


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """All operations of an OpenAPI document, references resolved."""
    return [
        Operation(
            id=described["operationId"],
            method=method.upper(),
            path=path,
            parameters=tuple(_resolved(document, p) for p in described.get("parameters", [])),
            body=_body(document, described),
            documented=frozenset(int(status) for status in described["responses"]),
        )
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]


def _body(document: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if "requestBody" not in described:
        return None
    return _resolved(document, described["requestBody"]["content"]["application/json"]["schema"])


def _resolved(document: Mapping[str, Any], schema: Any) -> Any:
    """Any JSON in, the same out with what its references name."""
    match schema:
        case {"$ref": str(reference)}:
            return _resolved(document, _find(document, reference))
        case dict():
            return {key: _resolved(document, value) for key, value in cast(dict[str, Any], schema).items()}
        case list():
            return [_resolved(document, item) for item in cast(list[Any], schema)]
        case _:
            return schema


def _find(document: Mapping[str, Any], reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A schema's branches that are not null."""
    branches = schema.get("anyOf", [schema])
    return [branch for branch in branches if branch.get("type") != "null"]


def fields(schema: Mapping[str, Any], at: Place = ()) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Every scalar field of a body, with its place; of a list, in its first item."""
    for branch in alternatives(schema):
        if "properties" in branch:
            for name, inner in branch["properties"].items():
                yield from fields(inner, (*at, name))
            return
        if branch.get("type") == "array":
            yield from fields(branch["items"], (*at, 0))
            return
    yield at, schema


def containers(schema: Mapping[str, Any], at: Place = ()) -> Iterator[Place]:
    """The place of the body itself and of every object and list in it."""
    for branch in alternatives(schema):
        if "properties" in branch:
            yield at
            for name, inner in branch["properties"].items():
                yield from containers(inner, (*at, name))
        elif branch.get("type") == "array":
            yield at
            yield from containers(branch["items"], (*at, 0))
        elif branch.get("type") == "object":
            yield at


def is_amount(schema: Mapping[str, Any]) -> bool:
    """Whether a field takes an amount."""
    return any(
        inner.get("pattern") == AMOUNT_PATTERN for branch in alternatives(schema) for inner in alternatives(branch)
    )


def takes_numbers(schema: Mapping[str, Any]) -> bool:
    """Whether an amount may be a JSON number too, as in the quickstart."""
    return any(inner.get("type") == "number" for branch in alternatives(schema) for inner in alternatives(branch))


def body_of(schema: Mapping[str, Any], values: Mapping[str, Any], name: str = "") -> Any:
    """A body with every field there is, its values taken by the names of the fields."""
    (*_, branch) = alternatives(schema)
    if "properties" in branch:
        return {inner: body_of(described, values, inner) for inner, described in branch["properties"].items()}
    if branch.get("type") == "array":
        return [body_of(branch["items"], values, name)]
    return values[name]


def with_literal(body: Any, at: Place, literal: str) -> str:
    """The text of a body with this JSON text in place of one field."""
    return json.dumps(_put(body, at, "@literal@")).replace('"@literal@"', literal)


def _put(body: Any, at: Place, value: Any) -> Any:
    if not at:
        return value
    step, *rest = at
    # What a good request leaves out.
    if body is None:
        return {step: _put(None, tuple(rest), value)}
    inner = _put(body[step], tuple(rest), value)
    return {**body, step: inner} if isinstance(step, str) else [*body[:step], inner, *body[step + 1 :]]
