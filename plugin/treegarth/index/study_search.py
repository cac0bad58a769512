"""The archive's search for studies, as other features are lent it: in forms that ask for a study, in lists of rows of
studies, and in what is kept of studies that left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, select
from sqlalchemy.sql.visitors import replacement_traverse

from treegarth.index.names import StudyName
from treegarth.index.tables import departed_study, study

OFFERED = 8
"""Studies that a form lets somebody choose from; of more the words are to be made more exact."""


@dataclass(frozen=True, kw_only=True)
class StudySearch:
    """Finds studies by words: name, patient ID, accession number, description, or a UID of any level."""

    conditions: Callable[[str], Sequence[ColumnElement[bool]]]
    """On the table `study`; none where the text has no word."""

    def identifiers(self, text: str) -> Select[Any]:
        """Of the studies of the archive, and of those that left, that the text finds."""
        here = select(study.c.orthanc_study_id).where(*self.conditions(text))
        gone = select(departed_study.c.orthanc_study_id).where(*self.of_departed(text))
        return select(here.union(gone).subquery())

    def of_departed(self, text: str) -> list[ColumnElement[bool]]:
        """The same conditions on what is kept of studies that left."""
        return [replacement_traverse(one, {}, _departed) for one in self.conditions(text)]

    def find(self, connection: Connection, text: str, *, orthanc_study_id: str | None = None) -> list[StudyName]:
        """The studies of the archive that the text finds, the newest first, one more than are offered at most; or that
        one of them."""
        found = self.conditions(text)
        if not found:
            return []
        names = [study.c[name] for name in _NAMES]
        query = select(*names).where(*found)
        if orthanc_study_id:
            query = query.where(study.c.orthanc_study_id == orthanc_study_id)
        order = (
            study.c.study_date.desc().nulls_last(),
            study.c.study_time.desc().nulls_last(),
            study.c.orthanc_study_id,
        )
        rows = connection.execute(query.order_by(*order).limit(OFFERED + 1))
        return [StudyName(**row._mapping, found_in="archive") for row in rows]


_NAMES = ("orthanc_study_id", "study_instance_uid", "patient_name", "patient_id", "study_date", "study_description")


def _departed(element: Any, **_: Any) -> Any:
    if isinstance(element, Column) and element.table is study and element.name in departed_study.c:
        return departed_study.c[element.name]
    return departed_study if element is study else None
