"""Deciding every dose anew: start it, see how far it is, and what it changed. Shows and starts only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from babel.dates import format_timedelta
from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection

from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.download import changes_csv
from treegarth.features.dose.registry.pages.names import DOUBT_NAMES, ORIGIN_NAMES, origin_in_words
from treegarth.features.dose.registry.shown_quantities import RULES
from treegarth.features.dose.registry.store.redecision import (
    USUAL_PACE,
    ListedChange,
    RedecidingProgress,
    count_studies_about,
    list_changes,
    redeciding_progress,
    start_redeciding,
)
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_
from treegarth.web.actors import NOBODY, Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import render_part, translated
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page

PAGE = "dose.redeciding_page"
COUNTS = {True: N_("counts"), False: N_("does not count")}
WHY: dict[str, str] = {
    **RULES,
    "single": N_("the only source"),
    **{str(name): words for name, words in DOUBT_NAMES.items()},
    "no source is left": N_("no source is left"),
    "counts": COUNTS[True],
}
"""The rules and doubts that `store.redeciding` notes with a change, in words."""

CHANGES_ON_A_PAGE = 50


class ChangesQuery(Parameters):
    """Which changes."""

    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""


@dataclass(frozen=True, kw_only=True)
class ShownRedeciding:
    """The latest one in the reader's language, and what the next one would take."""

    progress: RedecidingProgress | None
    left: str | None
    study_count: int
    would_take: str
    by_nobody: bool


@dataclass(frozen=True, kw_only=True)
class ShownChange:
    """A line of the table; `was` and `now` are words where the study itself counts or counts no more."""

    orthanc_study_id: str
    study_instance_uid: str
    patient_id: str | None
    study_date: date | None
    quantity: str
    unit: str
    factor: float
    before: float | None
    after: float | None
    was: str
    now: str
    why: str


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/redeciding",
            permission=Permission.VIEW,
            handler=redeciding_page,
            summary="How far the latest deciding anew of every dose is, and which doses it changed.",
        ),
        route(
            name="dose.redecide_page",
            path="/treegarth/dose/redeciding",
            method="POST",
            permission=Permission.OPERATE,
            handler=redecide,
            summary="Decide the dose of every study anew, from what was read.",
        ),
        route(
            name="dose.redeciding_csv",
            path="/treegarth/dose/redeciding.csv",
            permission=Permission.VIEW,
            handler=changes_csv,
            summary="What the latest deciding anew changed, with all digits, as CSV.",
            media_type="text/csv",
        ),
    ]


def redeciding_page(call: Call[ChangesQuery, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        shown = shown_redeciding(call, connection)
        changes: tuple[ListedChange, ...] = ()
        following = None
        if shown.progress is not None:
            page = list_changes(connection, shown.progress.id, limit=CHANGES_ON_A_PAGE, cursor=query.cursor)
            changes, following = page.changes, page.next
        which = told_apart_with_kept(connection, changes)
    return render_page(
        call,
        "dose_redeciding.html",
        state=state_part(call, shown, N_("The latest run") if shown.progress else N_("No run yet")),
        progress=shown.progress,
        changes=[_change(call, one) for one in changes],
        which=which,
        next_cursor=following,
    )


def redecide(call: Call[None, None, None]) -> Response:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    services = call.services
    with call.begin() as connection:
        start_redeciding(connection, str(call.actor), services.clock())
    return Response(status=303, headers={"Location": call.site.url(PAGE)})


def shown_redeciding(call: AnyCall, connection: Connection) -> ShownRedeciding:
    progress = redeciding_progress(connection)
    count = count_studies_about(connection)
    pace = (progress.pace if progress else None) or USUAL_PACE
    left = progress.seconds_left if progress and progress.is_running else None
    return ShownRedeciding(
        progress=progress,
        left=None if left is None else _duration(call, left),
        study_count=count,
        would_take=_duration(call, max(count / pace, 1.0)),
        by_nobody=progress is not None and progress.started_by == str(NOBODY),
    )


def state_part(call: AnyCall, shown: ShownRedeciding, heading: str = N_("Deciding every dose anew")) -> Markup:
    """Button, bar and outcome: the same on the system page and on its own."""
    return render_part(
        call,
        "dose_redeciding_state.html",
        heading=translated(call, heading),
        shown=shown,
        progress=shown.progress,
    )


def _duration(call: AnyCall, seconds: float) -> str:
    return str(format_timedelta(seconds, locale=call.site.languages[call.language].locale))


def _change(call: AnyCall, change: ListedChange) -> ShownChange:
    quantity = BEST.get(change.quantity)
    was, now = ("" if quantity else translated(call, COUNTS[bool(one)]) for one in (change.before, change.after))
    return ShownChange(
        orthanc_study_id=change.orthanc_study_id,
        study_instance_uid=change.study_instance_uid,
        patient_id=change.patient_id,
        study_date=change.study_date,
        quantity=translated(call, quantity.label if quantity else N_("the study itself")),
        unit=quantity.unit if quantity else "",
        factor=quantity.factor if quantity else 1.0,
        before=change.before,
        after=change.after,
        was=was,
        now=now,
        why=why_in_words(call, change.quantity, change.why),
    )


def why_in_words(call: AnyCall, quantity: str, why: str) -> str:
    """As `store.redeciding` notes it, in the reader's language."""
    if why.startswith("replaced by "):
        return translated(call, N_("another study replaces it"))
    return "; ".join(
        ", ".join(_reason_in_words(call, quantity, name) for name in part.split("+")) for part in why.split("; ")
    )


def _reason_in_words(call: AnyCall, quantity: str, name: str) -> str:
    if name in ORIGIN_NAMES:
        return origin_in_words(call, quantity, name)
    return translated(call, WHY[name]) if name in WHY else name
