"""On a study's page, for those who may see the audit trail: who had to do with the patient."""

from __future__ import annotations

from markupsafe import Markup

from treegarth.access.actors import Permission
from treegarth.audit.model import WAY_WORDS, WHAT_WORDS
from treegarth.audit.store import who_saw
from treegarth.index.names import name_study
from treegarth.index.studies import StudyKey
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part

MOST_SHOWN = 10


def study_section(call: AnyCall, study: StudyKey) -> Markup | None:
    if not call.actor.may(Permission.SEE_AUDIT):
        return None
    with call.connect() as connection:
        name = name_study(connection, study.orthanc_study_id)
        patient_id = name.patient_id if name is not None else None
        seen = who_saw(connection, patient_id, study.study_instance_uid, most=MOST_SHOWN)
    return render_part(
        call,
        "audit/section.html",
        study=study,
        patient_id=patient_id,
        seen=seen,
        what_words=WHAT_WORDS,
        way_words=WAY_WORDS,
    )
