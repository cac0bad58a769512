"""A record: what a row is and what the API answers with, in one. Its docstrings say what a field holds, in which unit.

A query makes it of a row, a page shows it, an endpoint answers with it; the OpenAPI document takes its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, ModelWrapValidatorHandler, model_validator

from treegarth.described import Described
from treegarth.phrases import Phrase


class Record(Described):
    """Base of all records. Names as in DICOM; absent is null: an answer has every field, whatever its default."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _keep_phrases(cls, given: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        """A sentence that pages say in another language stays one: pydantic makes plain text of every kind of str."""
        made = make(given)
        for name, value in given.items() if isinstance(given, Mapping) else ():
            if isinstance(value, Phrase) or (
                isinstance(value, list | tuple) and any(isinstance(v, Phrase) for v in value)
            ):
                made.__dict__[name] = value
        return made
