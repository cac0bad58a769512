"""The form of a study's page by which labels are put on it and taken off."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import StringConstraints

from treegarth.access.actors import Permission
from treegarth.index.labels import LONGEST_LABEL, change_labels, is_label
from treegarth.index.studies import the_study, told_apart
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.path_models import StudyPath
from treegarth.web.paths import STUDY_PATH
from treegarth.web.routes import AnyText, Route
from treegarth.web.told import see_other
from treegarth.web.which_study import WhichStudy


class LabelBody(WhichStudy):
    """Which label, and what becomes of it."""

    way: Literal["set", "take off"]
    """`set` or `take off`."""
    label: Annotated[AnyText, StringConstraints(max_length=LONGEST_LABEL)]
    """The label."""


def routes() -> list[Route]:
    return [
        route(
            name="archive.label_page",
            path=f"{STUDY_PATH}/label",
            method="POST",
            permission=Permission.ANNOTATE,
            handler=label_study,
            summary="Put a label on a study, or take it off.",
        )
    ]


def label_study(call: Call[None, LabelBody, StudyPath]) -> Response:
    """Back to the study's page, which says what is wrong with a text that is no label."""
    asked, label = call.body, call.body.label.strip()
    with call.begin() as connection:
        key = the_study(connection, call.path.study_instance_uid, asked.orthanc_study_id)
        which = told_apart(connection, [key])(key)
        if is_label(label):
            by, now = call.actor.name, call.services.clock()
            change_labels(connection, key.orthanc_study_id, [label], is_set=asked.way == "set", by=by, now=now)
    url = call.site.url("archive.study_page", study_instance_uid=key.study_instance_uid, orthanc_study_id=which)
    if is_label(label):
        return see_other(call, url)
    wrong = P_("A label has 1 to %(longest)s printable characters, and no comma at its ends.", longest=LONGEST_LABEL)
    return see_other(call, url, wrong, kind="attention")
