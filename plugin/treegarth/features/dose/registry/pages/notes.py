"""What dose says of each study in other lists: what it is known by, each number with its doubts. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.dose.registry.pages.dose_columns import leading_doses
from treegarth.features.dose.registry.store.studies import studies_with_dose_among
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part


def study_notes(call: AnyCall, connection: Connection, orthanc_study_ids: Sequence[str]) -> Mapping[str, Markup]:
    """Of a study that is left out, or counts in another, nothing: its numbers are not the patient's. Nothing of any
    to who may not see dose."""
    if not call.actor.may(Permission.SEE_DOSE):
        return {}
    return {
        one.orthanc_study_id: render_part(call, "dose/note.html", leading=leading)
        for one in studies_with_dose_among(connection, orthanc_study_ids)
        if not one.is_void and one.replaced_by is None and (leading := leading_doses(one))
    }
