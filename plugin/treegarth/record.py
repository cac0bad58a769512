"""A record: what a row is and what the API answers with, in one. Its docstrings say what a field holds, in which unit.

A query makes it of a row, a page shows it, an endpoint answers with it; the OpenAPI document takes its words.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records. Names as in DICOM; absent is null: an answer has every field, whatever its default."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )
