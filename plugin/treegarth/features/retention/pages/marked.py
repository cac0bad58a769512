"""What policies are going to delete, what goes first, and how it is rescued."""

from __future__ import annotations

from flask import Response

from treegarth.errors import InvalidRequest
from treegarth.features.retention import service
from treegarth.features.retention.marked import OBJECTS, STUDIES
from treegarth.features.retention.pages.words import back_to_study, see_other
from treegarth.index.studies import StudyKey
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Route

MOST_AT_ONCE = 1000


def routes() -> list[Route]:
    return [
        *STUDIES.routes(),
        *OBJECTS.routes(),
        route(
            name="retention.rescue_page",
            path="/treegarth/retention/marked/rescue",
            method="POST",
            permission=Permission.OPERATE,
            handler=rescue,
            summary="Rescue marked studies, or some objects of one.",
        ),
    ]


def rescue(call: Call[None, None, None]) -> Response:
    """The study whose button was pressed, else every study or object that is ticked; studies by Orthanc's identifiers.
    `back` is the Study Instance UID of the study on whose page the button stood."""
    services, form = call.services, call.http.form
    objects = [uid for uid in form.getlist("object") if "\0" not in uid]
    of_study = form.get("of", "")
    studies = [form["one"]] if form.get("one") else [of_study] if of_study and objects else form.getlist("study")
    if max(len(studies), len(objects)) > MOST_AT_ONCE:
        raise InvalidRequest(P_("At most %(most)s are rescued at once.", most=MOST_AT_ONCE))
    with call.begin() as connection:
        count = sum(
            service.rescue(connection, key, objects if of_study else [], by=call.actor.name, now=services.clock())
            for key in dict.fromkeys(studies)
            if "\0" not in key
        )
    if (uid := form.get("back")) and studies and "\0" not in uid + studies[0]:
        return back_to_study(call, StudyKey(study_instance_uid=uid, orthanc_study_id=studies[0]))
    return see_other(call.site.url("retention.marked_page", rescued=count))
