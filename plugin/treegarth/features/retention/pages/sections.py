"""What retention lends to the page of a study: its holds, what is marked of it, what was pruned and how it comes back.

It notes, too, that somebody looks at the study: that is a use.
"""

from __future__ import annotations

from markupsafe import Markup

from treegarth.features.retention.pages.wording import HOLD_KINDS, WISH_STATES, states_of, words_of
from treegarth.features.retention.store.holds import list_holds
from treegarth.features.retention.store.ledger import list_bring_backs
from treegarth.features.retention.store.showing import gone_of_study, marked_of_study
from treegarth.features.retention.uses import study_shown
from treegarth.web.parts import AnyCall, render_part

WISHES_SHOWN = 3


def study_section(call: AnyCall, study_instance_uid: str) -> Markup:
    """The section "Retention" of a study's page."""
    study_shown(call, study_instance_uid)
    with call.site.services.database.connect() as connection:
        now = call.site.services.clock()
        holds = list_holds(connection, now=now, study_instance_uid=study_instance_uid).holds
        marked = marked_of_study(connection, study_instance_uid)
        gone = gone_of_study(connection, study_instance_uid)
        wishes = list_bring_backs(connection, study_instance_uid=study_instance_uid, limit=WISHES_SHOWN)
    return render_part(
        call,
        "retention_section.html",
        study_instance_uid=study_instance_uid,
        holds=holds,
        marked=marked,
        gone=gone,
        wishes=wishes,
        wish_states=states_of(call, WISH_STATES),
        busy=any(one.state == "waiting" for one in wishes),
        kinds=words_of(call, HOLD_KINDS),
    )
