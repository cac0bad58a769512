"""What the audit trail says of requests to us: each route is classified here or says it itself.

An event is made when the answer is known, put into a queue and written by another thread: a request pays microseconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Request

from treegarth.access.actors import Actor, Permission
from treegarth.audit.model import (
    LONGEST_PATH,
    LONGEST_QUERY,
    MOST_STUDIES,
    Event,
    EventOutcome,
    NotAudited,
    Recorder,
    Way,
    What,
    storable,
)
from treegarth.web.noted import Noted
from treegarth.web.paths import API_PATH, BASE_PATH
from treegarth.web.routes import HTML, Route

SHOWN = ("application/json", HTML)
ACCESS = tuple(f"{one}/{place}" for one in (BASE_PATH, API_PATH) for place in ("access", "account", "users", "tokens"))
"""Addresses below which users and rights are changed."""
OF_RESOURCE: Mapping[str, str] = {
    "orthanc_patient_id": "patients",
    "orthanc_study_id": "studies",
    "orthanc_series_id": "series",
    "orthanc_instance_id": "instances",
}
"""Names of parameters that are Orthanc's identifiers."""
JOINING = frozenset({What.SEARCH, What.VIEW, What.IMAGES})
"""What changes nothing: repeats of a minute are one row."""
OF_SIGN_IN = frozenset({What.SIGN_IN, What.LOCK, What.SIGN_OUT})
OWN_PARAMETERS = ("lang", "theme")

logger = logging.getLogger(__name__)


def audited_as(route: Route) -> What | NotAudited:
    """What a request to this route is, or why it leaves no event."""
    if route.audit is not None:
        return route.audit
    return _seen(route) if route.method == "GET" else _changed(route)


def _seen(route: Route) -> What | NotAudited:
    needs = (route.permission, *route.further)
    if route.permission is Permission.PUBLIC or route.tag in ("files", "documentation"):
        return NotAudited(reason="It shows nothing of patients, users or figures.")
    if Permission.DOWNLOAD in needs:
        return What.DOWNLOAD
    if Permission.EXPORT in needs or route.answers_as not in SHOWN:
        return What.EXPORT
    if route.permission is Permission.SIGNED_IN:
        return NotAudited(reason="It shows what is one's own.")
    of_one = bool(route.path_names)  # of a study's parts: it is that study which is seen
    is_list = route.query is not None and "sort" in route.query.model_fields and not of_one
    return What.SEARCH if is_list else What.VIEW


def _changed(route: Route) -> What:
    if route.name.endswith("_prepare"):
        return What.EXPORT
    if route.path.startswith(ACCESS):
        return What.RIGHTS
    if route.path.endswith("/preview"):
        return What.VIEW
    if route.path.endswith(("/state", "/switch")):
        return What.CHANGE
    return BY_PERMISSION.get(route.permission, What.CHANGE)


BY_PERMISSION: Mapping[Permission, What] = {
    Permission.UPLOAD: What.STORE,
    Permission.DOWNLOAD: What.DOWNLOAD,
    Permission.EXPORT: What.EXPORT,
    Permission.SEND: What.SEND,
    Permission.ERASE: What.DELETE,
}


def record(
    recorder: Recorder,
    clock: Callable[[], datetime],
    route: Route,
    request: Request,
    status: int,
    *,
    actor: Actor,
    noted: Noted | None,
    was_led_away: bool,
) -> None:
    """Put the event of an answered request; `was_led_away` is a page whose reader has to sign in first."""
    what = audited_as(route)
    noted = noted or Noted()
    if isinstance(what, NotAudited) or noted.is_let_go:
        return
    what = noted.what or what
    outcome = _outcome(status, was_led_away=was_led_away)
    parts: Mapping[str, str] = {**request.args, **route.values_of_path(request.view_args or {})}
    recorder.put(
        Event(
            what=what,
            outcome=outcome,
            at=clock(),
            way=Way.API if route.is_api else Way.PAGE,
            actor=actor.name or noted.actor,
            user_id=actor.user_id or noted.user_id,
            session_id=actor.session_id,
            token_id=actor.token_id,
            roles=actor.roles,
            address=storable(request.environ.get("REMOTE_ADDR", ""), 100),
            place=route.name,
            status=status,
            count=noted.count,
            path=storable(request.path, LONGEST_PATH),
            query="" if what in OF_SIGN_IN else _query(request),  # a provider's code stands there
            detail=storable(noted.detail, LONGEST_PATH),
            studies=_texts([*noted.studies, *_studies(parts)]),
            patients=_texts([*noted.patients, *([parts["patient_id"]] if parts.get("patient_id") else [])]),
            resources=_texts([*noted.resources, *_resources(parts)]),
            may_join=what in JOINING or outcome is EventOutcome.REFUSED,
        )
    )


def _outcome(status: int, *, was_led_away: bool) -> EventOutcome:
    if was_led_away or status in (401, 403):
        return EventOutcome.REFUSED
    return EventOutcome.DONE if status < 400 else EventOutcome.FAILED


def _query(request: Request) -> str:
    """As it was asked, without what only changes how a page looks."""
    given = request.args
    if not given:
        return ""
    kept = "&".join(f"{name}={value}" for name, value in given.items(multi=True) if name not in OWN_PARAMETERS)
    return storable(kept, LONGEST_QUERY)


def _studies(parts: Mapping[str, str]) -> list[str]:
    """Of the parameters that name studies, as OHIF and our own addresses write them."""
    given = (value for name, value in parts.items() if name.lower() in ("study_instance_uid", "studyinstanceuids"))
    return [uid for value in given for uid in value.split(",") if uid]


def _resources(parts: Mapping[str, str]) -> list[str]:
    return [f"{level}/{parts[name]}" for name, level in OF_RESOURCE.items() if parts.get(name)]


def _texts(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(storable(one, 200) for one in found[:MOST_STUDIES]))
