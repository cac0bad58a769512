"""Deciding every dose anew: start it, see how far it is, and what it changed. Shows and starts only.

The usual order keeps a study's doses together, by the index of Orthanc's identifiers. The others sort what one run
changed: of a million changes that takes a fifth of a second, and two by patient and date, which are looked up for each.
It is asked for once in a version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.pages.names import DOUBT_NAMES, ORIGIN_NAMES, origin_in_words
from treegarth.features.dose.registry.shown_quantities import RULES
from treegarth.features.dose.registry.store.redecision import (
    USUAL_PACE,
    ChangedDose,
    count_studies_about,
    select_changes,
    start_redeciding,
)
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.features.dose.registry.works import REDECIDING
from treegarth.phrases import N_, NN_, P_, Phrase
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Parameters, Route
from treegarth.web.told import see_other
from treegarth.work.pages import work_section
from treegarth.work.store import LongWork, latest

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


class ChangesAsked(Parameters):
    """All of them."""


@dataclass(frozen=True, kw_only=True)
class ShownChange:
    """A change in words; `was` and `now` are such where the study itself counts or counts no more."""

    quantity: str
    unit: str
    factor: float
    was: str
    now: str
    why: list[list[str]]


def routes() -> list[Route]:
    return [
        route(
            name="dose.redecide_page",
            path="/treegarth/dose/redeciding",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=redecide,
            summary="Decide the dose of every study anew, from what was read.",
        ),
    ]


def find(asker: Asker, connection: Connection, asked: ChangesAsked) -> Select[Any]:
    return select_changes(ordered_by=getattr(asked, "sort", CHANGES.order).removeprefix("-"))


def extras(
    call: AnyCall, connection: Connection, asked: ChangesAsked, changes: Sequence[ChangedDose]
) -> Mapping[str, Any]:
    work = latest(connection, REDECIDING.name)
    return {
        "work": work,
        "progress_part": redeciding_section(call, connection, work, is_own_page=True),
        "in_words": {(one.orthanc_study_id, one.quantity): _in_words(one) for one in changes},
        "which": told_apart_with_kept(connection, changes),
    }


def redecide(call: Call[None, None, None]) -> Response:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        start_redeciding(connection, call.actor.name, call.services.clock())
    return see_other(call, call.site.url(PAGE))


def redeciding_section(
    call: AnyCall, connection: Connection, work: LongWork | None, *, is_own_page: bool = False
) -> Markup:
    """The latest, and what the next one would take: on the system page, which leads to its own, and there."""
    count = count_studies_about(connection)
    seconds = count / ((work.per_second if work else None) or USUAL_PACE)
    start, label = call.site.url("dose.redecide_page"), N_("Decide all anew")
    results = None if is_own_page else (call.site.url(PAGE), N_("Doses that changed"))
    return work_section(call, REDECIDING, work, start=start, label=label, ahead=(count, seconds), results=results)


def _in_words(change: ChangedDose) -> ShownChange:
    quantity = BEST.get(change.quantity)
    was, now = ("" if quantity else COUNTS[bool(one)] for one in (change.before, change.after))
    return ShownChange(
        quantity=quantity.label if quantity else N_("the study itself"),
        unit=quantity.unit if quantity else "",
        factor=quantity.factor if quantity else 1.0,
        was=was,
        now=now,
        why=why_in_words(change.quantity, change.why),
    )


def why_in_words(quantity: str, why: str) -> list[list[str]]:
    """As `store.redeciding` notes it: sentences, each of one reason or several."""
    if why.startswith("replaced by "):
        return [[P_("another study replaces it")]]
    return [[_reason_in_words(quantity, name) for name in part.split("+")] for part in why.split("; ")]


def _reason_in_words(quantity: str, name: str) -> str:
    if name in ORIGIN_NAMES:
        return origin_in_words(quantity, name)
    return Phrase(WHY[name]) if name in WHY else name


CHANGES = Listing(
    name="dose.redeciding",
    title=N_("Deciding every dose anew"),
    counts=NN_("%(num)s changed dose", "%(num)s changed doses"),
    path="dose/redeciding",
    api_name="dose_redeciding_changes",
    api_path="dose/redeciding/changes",
    tag="dose",
    summary="What the latest deciding anew changed: study, quantity, before, after, why.",
    record=ChangedDose,
    asked=ChangesAsked,
    query=find,
    unique=("orthanc_study_id", "quantity"),
    order="study_instance_uid",
    columns=(
        Column(name="study_instance_uid", label=N_("Study"), form="study", sorts_by=("orthanc_study_id",)),
        Column(name="patient_id", label=N_("Patient ID"), narrow="c-1"),
        Column(name="study_date", label=N_("Study date")),
        Column(name="quantity", label=N_("Quantity"), form="own"),
        Column(name="before", label=N_("Before")),
        Column(name="after", label=N_("After")),
        Column(name="why", label=N_("Why"), form="own"),
    ),
    empty=Empty(
        title=N_("The doses were never decided anew"),
        text=N_(
            "It begins by itself after an upgrade that decides otherwise. What it changes stands here: the study, the "
            "quantity, before, after, and why."
        ),
        filtered=N_("No dose has changed"),
    ),
    template="dose/redeciding.html",
    extras=extras,
)
