"""What people say of a device, the same for its page and the API."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from treegarth.web.routes import AnyText

LONGEST_NAME = 100


def _stripped(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


Called: TypeAlias = Annotated[Annotated[AnyText, Field(max_length=LONGEST_NAME)] | None, BeforeValidator(_stripped)]
"""A name or a place; nothing but blanks is none."""
Version: TypeAlias = Annotated[int, Field(ge=0, le=10**6)]
"""The latest change that a person saw; 0 before the first."""
