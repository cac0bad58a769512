"""The labels of a study over HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.rules.api.parts import rule_route
from treegarth.features.rules.paths import LabelPath
from treegarth.index.labels import LONGEST_LABEL, StudyLabel, change_labels, is_label, known_labels, list_labels
from treegarth.index.studies import named_study, the_study
from treegarth.web.call import Call
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, Route
from treegarth.web.validation import Fault, InvalidFields
from treegarth.web.which_study import WhichStudy


class LabelList(Answer):
    """The labels of a study, sorted."""

    items: list[StudyLabel]


class KnownLabels(Answer):
    """Every label that some study has, sorted, at most 500."""

    items: list[str]


def known(call: Call[None, None, None]) -> KnownLabels:
    with call.connect() as connection:
        return KnownLabels(items=known_labels(connection))


def labels(call: Call[WhichStudy, None, StudyPath]) -> LabelList:
    with call.connect() as connection:
        study = the_study(connection, call.path.study_instance_uid, call.query.orthanc_study_id)
        return _list(connection, study.orthanc_study_id)


def put(call: Call[None, None, LabelPath]) -> LabelList:
    return _change(call, is_set=True)


def take_off(call: Call[None, None, LabelPath]) -> LabelList:
    return _change(call, is_set=False)


def _change(call: Call[None, None, LabelPath], *, is_set: bool) -> LabelList:
    label, by, now = call.path.label, call.actor.name, call.services.clock()
    if not is_label(label):
        wrong = f"must be 1 to {LONGEST_LABEL} printable characters, no space at its ends."
        raise InvalidFields([Fault(field="label", message=wrong)])
    with call.begin() as connection:
        study = named_study(connection, call.path.study_instance_uid).orthanc_study_id
        change_labels(connection, study, [label], is_set=is_set, by=by, now=now)
        return _list(connection, study)


def _list(connection: Connection, orthanc_study_id: str) -> LabelList:
    return LabelList(items=list(list_labels(connection, orthanc_study_id)))


def routes() -> list[Route]:
    """The endpoints about labels."""
    path = "studies/{study_instance_uid}/labels"
    change: dict[str, Any] = {"permission": Permission.ANNOTATE}
    return [
        rule_route("known_labels", "labels", known, "Every label that some study has."),
        rule_route(
            "labels",
            path,
            labels,
            "The labels of a study, and who set them.",
            problems=(404, 409, 503),
        ),
        rule_route(
            "set_label",
            path + "/{label}",
            put,
            "Put a label on a study.",
            method="PUT",
            problems=(400, 404, 409, 503),
            **change,
        ),
        rule_route(
            "take_off_label",
            path + "/{label}",
            take_off,
            "Take a label off a study.",
            method="DELETE",
            problems=(400, 404, 409, 503),
            **change,
        ),
    ]
