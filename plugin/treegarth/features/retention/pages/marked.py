"""What policies are going to delete, what goes first, and how it is rescued."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from treegarth.errors import InvalidRequest
from treegarth.features.retention import service
from treegarth.features.retention.pages.words import back_to_study, said, see_other
from treegarth.features.retention.store import marks, policies
from treegarth.features.retention.store.overview import Sum, marked_by_policy, marked_studies, name_studies
from treegarth.features.retention.tables import prune_mark
from treegarth.index.studies import StudyKey, asked_study, told_apart
from treegarth.limits import LARGEST_BIGINT
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import ngettext_for
from treegarth.web.routes import Identifier, Route
from treegarth.web.templates import render_page
from treegarth.web.which_study import OfStudy

OBJECTS_ON_A_PAGE = 200
MOST_AT_ONCE = 1000


class MarkedQuery(OfStudy):
    """Which marks."""

    policy: Identifier | None = None
    """Of this policy, by its number."""
    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""
    rescued: int | None = Field(default=None, ge=0, le=LARGEST_BIGINT)
    """How many objects were rescued just now."""


def routes() -> list[Route]:
    return [
        route(
            name="retention.marked_page",
            path="/treegarth/retention/marked",
            permission=Permission.VIEW,
            handler=marked_page,
            summary="What policies are going to delete, and when.",
        ),
        route(
            name="retention.rescue_page",
            path="/treegarth/retention/marked/rescue",
            method="POST",
            permission=Permission.OPERATE,
            handler=rescue,
            summary="Rescue marked studies, or some objects of one.",
        ),
    ]


def marked_page(call: Call[MarkedQuery, None, None]) -> Response:
    query = call.query
    if query.study_instance_uid:
        return _objects_page(call)
    with call.connect() as connection:
        page = marked_studies(connection, policy_id=query.policy, cursor=query.cursor)
        sums = marked_by_policy(connection)
        names = name_studies(connection, page.studies)
        which = told_apart(connection, page.studies)
        stored = policies.list_policies(connection)
    wanted = [one for number, one in sums.items() if query.policy in (None, number)]
    total = Sum(
        instance_count=sum(one.instance_count for one in wanted),
        size_bytes=sum(one.size_bytes for one in wanted),
        at=min((one.at for one in wanted if one.at), default=None),
    )
    return render_page(
        call,
        "retention_marked.html",
        studies=[(one, names.get(one.orthanc_study_id), said(call, one.last_words)) for one in page.studies],
        which=which,
        next_cursor=page.next,
        total=total,
        counted=ngettext_for(call, "%(num)s object", "%(num)s objects", total.instance_count),
        rescued=_rescued(call),
        policies=stored,
        any_on=any(one.is_on for one in stored),
    )


def _rescued(call: Call[MarkedQuery, object, object]) -> str:
    number = call.query.rescued
    return ngettext_for(call, "%(num)s object was rescued", "%(num)s objects were rescued", number) if number else ""


def _objects_page(call: Call[MarkedQuery, None, None]) -> Response:
    """The objects of one study, one by one."""
    query = call.query
    with call.connect() as connection:
        asked = asked_study(connection, query.study_instance_uid, query.orthanc_study_id, kept=[prune_mark])
        study = asked or StudyKey(study_instance_uid="", orthanc_study_id="")
        page = marks.list_marks(connection, study=study, limit=OBJECTS_ON_A_PAGE, cursor=query.cursor)
        name = name_studies(connection, [study]).get(study.orthanc_study_id)
        which = told_apart(connection, [study])
        names = {one.id: one.name for one in policies.list_policies(connection)}
    return render_page(
        call,
        "retention_marked_study.html",
        study=study,
        which=which,
        name=name,
        marks=[(one, names.get(one.policy_id), said(call, one.last_words)) for one in page.marks],
        next_cursor=page.next,
        rescued=_rescued(call),
    )


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
