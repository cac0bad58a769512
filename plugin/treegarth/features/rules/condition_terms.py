"""What conditions can speak of in rules: labels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from treegarth.conditions.model import Field, Kind, Level
from treegarth.conditions.vocabulary import Term
from treegarth.index.tables import study_label
from treegarth.phrases import N_


def condition_terms(study_key: ColumnElement[Any]) -> list[Term]:
    """The terms; `study_key` is the index's column that tells which study a row is."""
    return [
        Term(
            field=Field(name="label", level=Level.STUDY, kind=Kind.TEXT, many=True, meaning=N_("A label that it has")),
            expression=study_label.c.label,
            rows=study_label,
            where=study_label.c.orthanc_study_id == study_key,
        )
    ]
