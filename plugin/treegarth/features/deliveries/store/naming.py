"""Whose a row is, by what a person types: name, patient ID, accession number or UID. Conditions only."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from treegarth.index.tables import study


def is_named(study_instance_uid: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """That the study of a row, which is joined to it where the index has it, is meant by these words."""
    said = words.strip()
    of_name = [study.c.patient_name.icontains(part, autoescape=True) for part in said.replace("^", " ").split()]
    is_patient = of_name[0] if of_name else study.c.patient_name == said
    for part in of_name[1:]:
        is_patient &= part
    return or_(study_instance_uid == said, study.c.patient_id == said, study.c.accession_number == said, is_patient)
