"""Holds over HTTP."""

from __future__ import annotations

from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.retention.api.parts import retention_route
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.paths import HoldPath
from treegarth.features.retention.service import hold_study
from treegarth.features.retention.store.holds import Hold, list_holds, release_hold
from treegarth.limits import LONGEST_TEXT
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.lists import Moment
from treegarth.web.routes import Answer, Route, Text
from treegarth.web.which_study import WhichStudy


class HoldBody(WhichStudy):
    """A hold to be set."""

    study_instance_uid: Text
    """The study."""
    kind: HoldKind
    """`legal`, `teaching` or `project`."""
    reason: Text = Field(min_length=1, max_length=LONGEST_TEXT)
    """Why, in a sentence."""
    until: Moment | None = None
    """When it ends by itself; without, it lasts until it is released."""


class HoldsInForce(Answer):
    """The holds of a study that are in force, the latest first."""

    items: list[Hold]


class Released(Answer):
    """What became of the hold."""

    released: bool


def set_hold(call: Call[None, HoldBody, None]) -> HoldsInForce:
    body, now = call.body, call.services.clock()
    with call.begin() as connection:
        study = hold_study(
            connection,
            body.study_instance_uid,
            body.orthanc_study_id,
            kind=body.kind,
            reason=body.reason,
            until=body.until,
            by=call.actor.name,
            now=now,
        )
        return HoldsInForce(items=list_holds(connection, now=now, study=study))


def release(call: Call[None, None, HoldPath]) -> Released:
    with call.begin() as connection:
        number, by = call.path.hold_id, call.actor.name
        if not release_hold(connection, number, released_by=by, now=call.services.clock()):
            raise NotFound(P_("There is no hold of this number that is in force."))
    return Released(released=True)


def routes() -> list[Route]:
    """The endpoints about holds."""
    return [
        retention_route(
            "set_retention_hold",
            "holds",
            set_hold,
            "Forbid that anything of a study is pruned; the study's holds in force.",
            method="POST",
            permission=Permission.PRUNE,
            status=201,
            problems=(404, 409, 503),
        ),
        retention_route(
            "release_retention_hold",
            "holds/{hold_id}",
            release,
            "End a hold.",
            method="DELETE",
            permission=Permission.PRUNE,
        ),
    ]
