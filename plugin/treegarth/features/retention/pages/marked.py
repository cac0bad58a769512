"""How a marked study is rescued from its own page; many are from their list."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.retention.service import rescue_study
from treegarth.features.retention.words import back_to_study
from treegarth.index.studies import StudyKey
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.told import see_other


class RescueForm(Parameters):
    """A study whose marks are taken back."""

    one: Text
    """Orthanc's identifier of the study."""
    back: Text = ""
    """Its Study Instance UID, where the button stands on its page."""


def routes() -> list[Route]:
    return [
        route(
            name="retention.rescue_page",
            path="/treegarth/retention/marked/rescue",
            method="POST",
            permission=Permission.PRUNE,
            handler=rescue,
            summary="Rescue all that is marked of a study.",
        ),
    ]


def rescue(call: Call[None, RescueForm, None]) -> Response:
    body = call.body
    with call.begin() as connection:
        rescue_study(connection, body.one, [], by=call.actor.name, now=call.services.clock())
    if body.back:
        return back_to_study(call, StudyKey(study_instance_uid=body.back, orthanc_study_id=body.one))
    return see_other(call, call.site.url("retention.marked_page"))
