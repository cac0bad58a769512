"""Size-specific dose: the list of series, the part of an exam's page, and the buttons that have series measured.

The usual order, by series, has an index; the others sort what the filters leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable
from treegarth.features.dose.analysis.size.estimates import MUCH_TRUNCATED
from treegarth.features.dose.analysis.size.reasons import REASONS, Reason
from treegarth.features.dose.analysis.size.shown import MATCHED, PHANTOMS, STATES, why_none
from treegarth.features.dose.analysis.size.store.lists import SeriesSsde, State, select_series, series_of_study
from treegarth.features.dose.analysis.size.store.queue import count_failed, retry_failed
from treegarth.features.dose.analysis.size.store.walk import start_measuring
from treegarth.features.dose.analysis.size.version import MOST_SLICES
from treegarth.features.dose.analysis.size.works import MEASURING
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay
from treegarth.web.parts import Check, render_part
from treegarth.web.routes import Parameters, Route
from treegarth.web.told import see_other
from treegarth.work.pages import work_section
from treegarth.work.store import latest

PAGE = "dose.ssde_page"
STATE_CHOICES: Mapping[str, str] = {state: words for state, (_, words) in STATES.items()}
REASON_CHOICES: Mapping[str, str] = {str(reason): words for reason, words in REASONS.items()}


class SsdeAsked(Parameters):
    """Which series."""

    study_date_from: Day | None = None
    """The first day of the studies, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day of the studies, included."""
    state: State | None = None
    """`waiting` is to be measured; `none`: there was nothing to measure; `failed` needs a person."""
    without: bool | None = None
    """`true`: without an estimate; `false`: with one."""
    reason: Reason | None = None
    """Without an estimate for this reason."""
    truncated: bool | None = None
    """`true`: where the field of view cuts off some of the patient; `false`: nothing."""


def routes() -> list[Route]:
    return [
        route(
            name="dose.measuring_page",
            path="/treegarth/dose/ssde",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=start,
            summary="Measure the CT series of the archive that were not measured yet.",
        ),
        route(
            name="dose.ssde_retry_page",
            path="/treegarth/dose/ssde/retry",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=retry,
            summary="Measure every CT series again that failed.",
        ),
    ]


def start(call: Call[None, None, None]) -> Response:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        start_measuring(connection, call.actor.name, call.services.clock())
    return see_other(call, call.site.url(PAGE))


def retry(call: Call[None, None, None]) -> Response:
    with call.begin() as connection:
        retry_failed(connection)
    return see_other(call, call.site.url(PAGE, state="failed"))


def find(asker: Asker, connection: Connection, asked: SsdeAsked) -> Select[Any]:
    return select_series(
        state=asked.state,
        reason=asked.reason,
        without=asked.without,
        truncated=asked.truncated,
        study_date_from=asked.study_date_from,
        study_date_to=asked.study_date_to,
    )


def extras(call: AnyCall, connection: Connection, asked: SsdeAsked, rows: Sequence[SeriesSsde]) -> Mapping[str, Any]:
    start, label = call.site.url("dose.measuring_page"), N_("Measure older series")
    return {
        "asked": asked,
        "which": told_apart_with_kept(connection, rows),
        "progress": work_section(call, MEASURING, latest(connection, MEASURING.name), start=start, label=label),
        **in_words(rows),
    }


def in_words(rows: Sequence[SeriesSsde]) -> dict[str, Any]:
    """What templates need to say of series."""
    return {
        "ssde_states": STATES,
        "phantoms": PHANTOMS,
        "matched": MATCHED,
        "why": {one.orthanc_series_id: why_none(one) for one in rows},
        "much_truncated": MUCH_TRUNCATED,
        "most_slices": MOST_SLICES,
    }


def exam_part(call: AnyCall, connection: Connection, orthanc_study_id: str) -> Markup:
    """What the page of an exam says of its series; nothing where none was noted."""
    series = series_of_study(connection, orthanc_study_id)
    return render_part(call, "dose/ssde_of_exam.html", series=series, **in_words(series)) if series else Markup("")


def health_check(call: AnyCall) -> list[Check]:
    """What of the measuring needs a person."""
    try:
        with call.connect() as connection:
            failed = count_failed(connection)
    except DatabaseUnavailable:
        return []  # another check says so
    if not failed:
        return []
    words = NN_("%(num)s CT series could not be measured", "%(num)s CT series could not be measured")
    url = call.site.url(PAGE, state="failed")
    return [Check(kind="attention", name=P_("Size-specific dose"), words=words, count=failed, url=url)]


SSDE = Listing(
    name="dose.ssde",
    title=N_("Size-specific dose"),
    counts=NN_("%(num)s series", "%(num)s series"),
    path="dose/ssde",
    api_name="dose_ssde",
    api_path="dose/ssde",
    tag="dose",
    summary="CT series with the size of the patient, their size-specific dose estimate, or why they have none.",
    record=SeriesSsde,
    asked=SsdeAsked,
    query=find,
    unique="orthanc_series_id",
    order="study_instance_uid",
    columns=(
        Column(name="study_instance_uid", label=N_("Study"), form="study", sorts_by=("orthanc_study_id",)),
        Column(name="study_date", label=N_("Study date"), narrow="c-3"),
        Column(name="series_number", label=N_("Series"), form="own"),
        Column(name="state", label=N_("Measured images"), form="own"),
        Column(name="water_equivalent_diameter_mean_mm", label=N_("Dw"), form="own", unit="cm"),
        Column(name="truncated_fraction_max", label=N_("Cut off"), form="own", narrow="c-2"),
        Column(name="ctdi_vol_mgy", label=N_("CTDIvol"), form="own", unit="mGy", narrow="c-1"),
        Column(name="ssde_mean_mgy", label=N_("SSDE"), form="own", unit="mGy"),
        Column(name="reason", label=N_("Why none"), form="own"),
    ),
    filters=(
        Filter(name="study_date_from", label=N_("From")),
        Filter(name="study_date_to", label=N_("To")),
        Filter(name="state", label=N_("State"), choices=STATE_CHOICES, width="wide"),
        Filter(name="without", label=N_("SSDE"), choices={"true": N_("without"), "false": N_("with")}),
        Filter(name="reason", label=N_("Why none"), choices=REASON_CHOICES, width="wide"),
        Filter(name="truncated", label=N_("Cut off"), choices={"true": N_("yes"), "false": N_("no")}),
    ),
    empty=Empty(
        title=N_("No CT series was measured yet"),
        text=N_(
            "Each CT series that comes to rest is measured in the background: how large the patient is in its axial "
            "images, and the size-specific dose estimate that follows."
        ),
        filtered=N_("No series fits these filters"),
    ),
    template="dose/ssde.html",
    extras=extras,
)
