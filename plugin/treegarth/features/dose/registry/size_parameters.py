"""What is sent with a file of sizes and weights, the same for its page and the API."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from treegarth.web.routes import AnyText

LARGEST_FILE = 12_000_000
"""Characters: some 300,000 lines."""
LARGEST_BODY = 4 * LARGEST_FILE
"""Bytes of a request: letters of Korean take nine in a form."""
FileText: TypeAlias = Annotated[AnyText, Field(max_length=LARGEST_FILE)]
FileName: TypeAlias = Annotated[AnyText, Field(max_length=200)]
Unit: TypeAlias = Literal["m", "cm"]
