"""Whether an OpenAPI document can be relied on: valid, every reference leads somewhere, every operation says all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

METHODS = {"get", "put", "post", "delete"}


def check_document(document: dict[str, Any]) -> None:
    """Raises AssertionError, or what the validator raises; the validator alone looks after no reference."""
    validate(document, cls=OpenAPIV31SpecValidator)
    assert list(dangling(document)) == []
    assert list(incomplete(document)) == []
    named = [one["operationId"] for _, _, one in operations(document)]
    assert len(named) == len(set(named))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, methods in document["paths"].items():
        assert set(methods) <= METHODS, path
        for method, operation in methods.items():
            yield path, method, operation


def dangling(document: dict[str, Any]) -> Iterator[str]:
    """Every reference that leads nowhere, with its place."""
    for place, reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            yield f"{place}: {reference}"


def references(part: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Whatever looks like a reference, be it a `$ref` or in the mapping of a discriminator."""
    if isinstance(part, dict | list):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            yield from references(value, f"{place}/{key}")
    elif isinstance(part, str) and (part.startswith("#/") or place.endswith("/$ref")):
        yield place, part


def incomplete(document: dict[str, Any]) -> Iterator[str]:
    """Operations that do not say what a success answers, what an error answers, or what a parameter or body is."""
    for path, method, operation in operations(document):
        place, answers = f"{method} {path}", operation["responses"]
        if not any(status.startswith("2") for status in answers) or "default" not in answers:
            yield f"{place}: no success, or no error"
        for status, answer in answers.items():
            if not answer.get("content") or not all(one.get("schema") for one in answer["content"].values()):
                yield f"{place}: {status} without a schema"
        if not all(parameter.get("schema") and parameter["name"] for parameter in operation["parameters"]):
            yield f"{place}: a parameter without a schema"
        in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path" and one["required"]}
        if in_path != {part[1:-1] for part in path.split("/") if part.startswith("{")}:
            yield f"{place}: its path has other parameters"
        if "requestBody" in operation and not all(
            one.get("schema") for one in operation["requestBody"]["content"].values()
        ):
            yield f"{place}: a body without a schema"
