"""What retention lends to the page of a study: its holds, what is marked of it, what was pruned and how it comes back.

It notes, too, that somebody looks at the study: that is a use.
"""

from __future__ import annotations

from markupsafe import Markup

from treegarth.features.retention.retrieval import BRINGING_BACK
from treegarth.features.retention.store.holds import list_holds
from treegarth.features.retention.store.ledger_studies import who_has
from treegarth.features.retention.store.overview import gone_of_study, marked_sum
from treegarth.features.retention.uses import study_shown
from treegarth.features.retention.words import HOLD_KINDS
from treegarth.index.studies import StudyKey, told_apart
from treegarth.index.tables import departed_study
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part
from treegarth.work.pages import work_part
from treegarth.work.store import latest


def study_section(call: AnyCall, study: StudyKey) -> Markup:
    """The section "Retention" of a study's page."""
    study_shown(call, study)
    with call.connect() as connection:
        now = call.services.clock()
        holds = list_holds(connection, now=now, study=study)
        marked = marked_sum(connection, study=study)
        gone = gone_of_study(connection, study)
        asked = latest(connection, BRINGING_BACK.name, study.orthanc_study_id)
        which = told_apart(connection, [study], kept=[departed_study])(study)
        places = who_has(connection, [study.orthanc_study_id]).get(study.orthanc_study_id, ()) if gone else ()
    return render_part(
        call,
        "retention/section.html",
        study=study,
        which=which,
        holds=holds,
        marked=marked,
        gone=gone,
        places=places,
        asked=asked and work_part(call, asked),
        busy=asked is not None and asked.is_running,
        kinds=HOLD_KINDS,
    )
