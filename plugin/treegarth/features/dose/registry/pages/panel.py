"""What dose lends to the panel of a study in lists: what it is known by, with doubts, and what it lacks. Reads only."""

from __future__ import annotations

from markupsafe import Markup

from treegarth.access.actors import Permission
from treegarth.features.dose.registry.lacking import LACKING_NAMES
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.pages.dose_columns import leading_doses
from treegarth.features.dose.registry.pages.names import MEANING_NAMES
from treegarth.features.dose.registry.store.studies import find_study_with_dose, told_apart_with_kept
from treegarth.index.studies import StudyKey
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part


def panel_section(call: AnyCall, key: StudyKey) -> Markup | None:
    """None of a study without a dose, and to who may not see it."""
    if not call.actor.may(Permission.SEE_DOSE):
        return None
    with call.connect() as connection:
        study = find_study_with_dose(connection, key.orthanc_study_id)
        which = told_apart_with_kept(connection, [key])(key)
    if study is None:
        return None
    return render_part(
        call,
        "dose/panel.html",
        study=study,
        url=dose_page_of(call, key.study_instance_uid, which),
        leading=leading_doses(study),
        meanings=MEANING_NAMES,
        lacking_names=LACKING_NAMES,
    )
