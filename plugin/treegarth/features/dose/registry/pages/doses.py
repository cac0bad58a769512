"""The dose list: filter, sort, page, export. Reads only."""

from __future__ import annotations

from typing import Any

from flask import Response

from treegarth.features.dose.registry.conditions import DoseConditions
from treegarth.features.dose.registry.download import exported
from treegarth.features.dose.registry.export import FORMATS, MEDIA_TYPES, Format
from treegarth.features.dose.registry.pages.dose_columns import MORE_RANGES, RANGES, columns_of
from treegarth.features.dose.registry.pages.names import KIND_NAMES, MEANING_NAMES, doubts_in_words
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.store.filters import DoseStudyFilter
from treegarth.features.dose.registry.store.queue import count_waiting
from treegarth.features.dose.registry.store.studies import (
    DoseStudySort,
    count_studies_with_dose,
    list_studies_with_dose,
    told_apart_with_kept,
)
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import ngettext_for, translated
from treegarth.web.routes import Navigation, Route
from treegarth.web.templates import render_page, url_with

STUDIES_ON_A_PAGE = 50
COUNTED = 10_000
"""A title counts no further: it costs little, and says so."""


class DosesQuery(DoseConditions):
    """Which studies, in which order, from where."""

    sort: DoseStudySort = DoseStudySort.NEWEST
    """The order of the list."""
    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""


def routes() -> list[Route]:
    return [
        route(
            name="dose.doses_page",
            path="/treegarth/dose",
            permission=Permission.VIEW,
            handler=doses_page,
            summary="The studies with a dose, with their totals: filter, sort, page, export.",
            navigation=Navigation(label=N_("Dose"), icon="dose", order=30, key="d"),
        ),
        *(_export_route(wanted) for wanted in FORMATS),
    ]


def _export_route(wanted: Format) -> Route:
    def export(call: Call[DosesQuery, None, None]) -> Response:
        return exported(call, wanted, call.query.filter(), call.query.sort)

    return route(
        name=f"dose.doses_{wanted}",
        path=f"/treegarth/dose.{wanted}",
        permission=Permission.VIEW,
        handler=export,
        summary=f"The dose list with all digits, as {wanted}.",
        media_type=MEDIA_TYPES[wanted],
    )


def doses_page(call: Call[DosesQuery, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        page = list_studies_with_dose(
            connection, query.filter(), sort=query.sort, limit=STUDIES_ON_A_PAGE, cursor=query.cursor
        )
        which = told_apart_with_kept(connection, page.studies)
        count = count_studies_with_dose(connection, query.filter(), at_most=COUNTED + 1)
        waiting = count_waiting(connection)
    return render_page(
        call,
        "doses.html",
        doses=page.studies,
        addresses={study.orthanc_study_id: study_address(call, study, which(study)) for study in page.studies},
        doubts={study.orthanc_study_id: doubts_in_words(call, study.doubts) for study in page.studies},
        columns=columns_of(query.kind, (kind for study in page.studies for kind in study.kinds)),
        ranges=RANGES,
        more_ranges=MORE_RANGES,
        more_open=any(call.http.args.get(name) for one in MORE_RANGES for name in (one.first, one.last)),
        next_cursor=page.next,
        counted=_counted(call, count),
        shown=ngettext_for(call, "%(num)s on this page", "%(num)s on this page", len(page.studies)),
        waiting=ngettext_for(call, "%(num)s report waits to be read", "%(num)s reports wait to be read", waiting)
        if waiting
        else "",
        filtered=query.filter() != DoseStudyFilter(),
        kinds=[(kind, translated(call, name)) for kind, name in KIND_NAMES.items()],
        meanings={meaning: translated(call, name) for meaning, name in MEANING_NAMES.items()},
        sorting=_sorting(call, query.sort),
        exports=[(wanted.upper() if wanted != "parquet" else "Parquet", _address(call, wanted)) for wanted in FORMATS],
    )


def _counted(call: AnyCall, count: int) -> str:
    found = ngettext_for(call, "%(num)s study with a dose", "%(num)s studies with a dose", min(count, COUNTED))
    return found if count <= COUNTED else translated(call, N_("more than %(what)s"), what=found)


def _sorting(call: AnyCall, sort: DoseStudySort) -> dict[str, dict[str, Any]]:
    def column(next_sort: DoseStudySort, direction: str | None) -> dict[str, Any]:
        kept = None if next_sort is DoseStudySort.NEWEST else next_sort.value
        return {"url": url_with(call, sort=kept, cursor=None), "direction": direction}

    dates = {DoseStudySort.NEWEST: "descending", DoseStudySort.OLDEST: "ascending"}
    by_date = DoseStudySort.OLDEST if sort is DoseStudySort.NEWEST else DoseStudySort.NEWEST
    return {
        "study_date": column(by_date, dates.get(sort)),
        "best_dlp_mgy_cm": column(DoseStudySort.DLP, "descending" if sort is DoseStudySort.DLP else None),
    }


def _address(call: AnyCall, wanted: Format) -> str:
    kept = {key: value for key, value in call.http.args.items() if key in DosesQuery.model_fields and value}
    return call.site.url(f"dose.doses_{wanted}", **{**kept, "cursor": None})
