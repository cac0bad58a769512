"""How what is going to be deleted is rescued: over HTTP."""

from __future__ import annotations

from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.features.retention.api.parts import retention_route
from treegarth.features.retention.service import rescue_study
from treegarth.features.retention.tables import prune_mark
from treegarth.index.studies import find_study
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Route, Text
from treegarth.web.which_study import WhichStudy


class RescueBody(WhichStudy):
    """What is to be rescued."""

    study_instance_uid: Text
    """The study."""
    sop_instance_uids: list[Text] = Field(default=[], max_length=10_000)
    """Some of its objects; without, all that are marked."""


class Rescued(Answer):
    """What was rescued."""

    rescued_count: int


def rescue_marked(call: Call[None, RescueBody, None]) -> Rescued:
    body = call.body
    with call.begin() as connection:
        study = find_study(connection, body.study_instance_uid, body.orthanc_study_id, kept=[prune_mark])
        now, by = call.services.clock(), call.actor.name
        count = rescue_study(connection, study.orthanc_study_id, body.sop_instance_uids, by=by, now=now) if study else 0
    return Rescued(rescued_count=count)


def routes() -> list[Route]:
    """The endpoints about marks."""
    return [
        retention_route(
            "rescue_marked",
            "marked/rescue",
            rescue_marked,
            "Rescue a study's marked objects, all or some.",
            method="POST",
            permission=Permission.PRUNE,
        ),
    ]
