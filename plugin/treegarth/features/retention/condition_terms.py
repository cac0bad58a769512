"""What conditions can speak of in retention: holds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from treegarth.conditions.model import Field, Kind, Level
from treegarth.conditions.vocabulary import NOW, Term
from treegarth.features.retention.tables import hold
from treegarth.phrases import N_

KINDS = ("legal", "teaching", "project")


def condition_terms(study_key: ColumnElement[Any]) -> list[Term]:
    """The terms; `study_key` is the index's column that tells which study a row is."""
    in_force = and_(
        hold.c.orthanc_study_id == study_key,
        hold.c.released_at.is_(None),
        or_(hold.c.until.is_(None), hold.c.until > NOW),
    )
    return [
        Term(
            field=Field(
                name="hold",
                level=Level.STUDY,
                kind=Kind.TEXT,
                many=True,
                meaning=N_("The kind of a hold that is in force"),
                choices=KINDS,
            ),
            expression=hold.c.kind,
            rows=hold,
            where=in_force,
        )
    ]
