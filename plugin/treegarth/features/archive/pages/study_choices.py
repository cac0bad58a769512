"""What fits while somebody types which study a form means: a part of the form."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.parts import render_part
from treegarth.web.routes import Route
from treegarth.web.study_choice import NOTHING, StudySaid, choose_study


def routes() -> list[Route]:
    return [
        route(
            name="archive.study_choices",
            path="/treegarth/study-choices",
            permission=Permission.SEE_STUDIES,
            handler=study_choices,
            summary="The studies that fit what is typed into a form.",
        )
    ]


def study_choices(call: Call[StudySaid, None, None]) -> Response:
    with call.connect() as connection:
        choice = choose_study(call, connection, call.query.study) if call.query.study.strip() else NOTHING
    return Response(str(render_part(call, "archive/study_choices.html", choice=choice)), mimetype="text/html")
