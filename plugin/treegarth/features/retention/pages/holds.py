"""Holds: who forbids that a study is pruned, why, until when; set and released by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.retention import service
from treegarth.features.retention.holds import HOLDS, NOTHING, HoldsAsked
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.paths import HoldPath
from treegarth.features.retention.store.holds import release_hold
from treegarth.features.retention.words import back_to_study
from treegarth.index.studies import StudyKey
from treegarth.limits import can_be_shown
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Route, Text
from treegarth.web.study_choice import StudySaid, choose_study
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.web.which_study import WhichStudy

LONGEST_REASON = 1000


class HoldBody(StudySaid, WhichStudy):
    """A hold to be set."""

    study_instance_uid: Text = ""
    """The study, where the form stands on its page."""
    kind: Text = ""
    """legal, teaching or project."""
    reason: Text = ""
    """Why, in a sentence."""
    until: Text = ""
    """The last day on which it holds; empty: until it is released."""
    back: Text = ""
    """`study` where the form stands on the study's page."""


class ReleaseBody(WhichStudy):
    """Where the button stands."""

    study: Text = ""
    """The study on whose page it stands."""


def routes() -> list[Route]:
    return [
        route(
            name="retention.hold_page",
            path="/treegarth/retention/holds",
            method="POST",
            permission=Permission.PRUNE,
            handler=hold,
            summary="Put a study on hold.",
        ),
        route(
            name="retention.release_page",
            path="/treegarth/retention/holds/{hold_id}/release",
            method="POST",
            permission=Permission.PRUNE,
            handler=release,
            summary="Release a hold.",
        ),
    ]


def hold(call: Call[HoldsAsked, HoldBody, None]) -> Response:
    """What is wrong is said at its field, and what was typed stays."""
    body = call.body
    services = call.services
    given = {name: getattr(body, name).strip() for name in NOTHING}
    until, wrong = _read(given, services.clock(), services.zone)
    said, chosen = body.study or body.study_instance_uid, body.chosen_study or body.orthanc_study_id or ""
    with call.begin() as connection:
        choice = choose_study(call, connection, said, chosen)
        if choice.study and not wrong:
            study = service.hold_study(
                connection,
                choice.study.study_instance_uid,
                choice.study.orthanc_study_id,
                kind=HoldKind(given["kind"]),
                reason=given["reason"],
                until=until,
                by=call.actor.name,
                now=services.clock(),
            )
            return _back(call, study if body.back == "study" else None)
    return render_page(call, HOLDS.template, **{**HOLDS.values(call), "given": given, "wrong": wrong, "choice": choice})


def _read(given: dict[str, str], now: datetime, zone: Any) -> tuple[datetime | None, dict[str, str]]:
    wrong: dict[str, str] = {}
    if given["kind"] not in set(HoldKind):
        wrong["kind"] = P_("Choose a kind.")
    if not 0 < len(given["reason"]) <= LONGEST_REASON:
        wrong["reason"] = P_("Say why in a sentence: whoever wants to release it will ask.")
    until = None
    if given["until"]:
        try:
            last = date.fromisoformat(given["until"])
            until = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
            if not can_be_shown(until):
                raise ValueError(last)
        except (ValueError, OverflowError):
            wrong["until"] = P_("Write a day such as 2027-01-31.")
    if until is not None and until <= now:
        wrong["until"] = P_("This day is over.")
    return until, wrong


def release(call: Call[None, ReleaseBody, HoldPath]) -> Response:
    services = call.services
    with call.begin() as connection:
        if not release_hold(connection, call.path.hold_id, released_by=call.actor.name, now=services.clock()):
            raise NotFound(N_("There is no hold of this number that is in force."))
    uid, key = call.body.study, call.body.orthanc_study_id
    return _back(call, StudyKey(study_instance_uid=uid, orthanc_study_id=key or "") if uid else None)


def _back(call: AnyCall, study: StudyKey | None) -> Response:
    return see_other(call, call.site.url("retention.holds_page")) if study is None else back_to_study(call, study)
