"""The list of studies: search, filters, order, pages, and a panel with the study that a row opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response

from treegarth.features.archive.conditions import StudyConditions
from treegarth.features.archive.pages.study import open_study
from treegarth.features.archive.search_model import DEFAULT_LIMIT, StudyFilter, StudySort
from treegarth.features.archive.store.search import count_studies, search_studies
from treegarth.index.studies import find_study, told_apart
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import ngettext_for, translated
from treegarth.web.routes import Navigation, Route, Text
from treegarth.web.templates import render_page, url_with
from treegarth.web.which_study import WhichStudy

COMMON_MODALITIES = ("CT", "MR", "PT", "NM", "MG", "XA", "RF", "DX", "CR", "US")


class StudiesQuery(StudyConditions, WhichStudy):
    """Which studies, in which order, from where, and which of them the panel shows."""

    sort: StudySort = StudySort.NEWEST
    """The order of the list."""
    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""
    open: Text | None = None
    """The Study Instance UID that the panel shows."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A modality to switch on or off."""

    modality: str
    on: bool
    url: str


def routes() -> list[Route]:
    return [
        route(
            name="archive.studies_page",
            path="/treegarth/studies",
            permission=Permission.VIEW,
            handler=studies_page,
            summary="The studies of the archive: search, filter, sort, page, and a panel with one of them.",
            navigation=Navigation(label=N_("Studies"), icon="studies", order=20, key="s"),
        )
    ]


def studies_page(call: Call[StudiesQuery, None, None]) -> Response:
    query = call.query
    wanted = query.filter()
    with call.connect() as connection:
        page = search_studies(connection, wanted, sort=query.sort, limit=DEFAULT_LIMIT, cursor=query.cursor)
        count = count_studies(connection, wanted)
        key = find_study(connection, query.open, query.orthanc_study_id) if query.open and page.studies else None
        opened = open_study(call, connection, key) if key else None
        which = told_apart(connection, page.studies)
    found = ngettext_for(call, "%(num)s study", "%(num)s studies", count.count)
    return render_page(
        call,
        "studies.html",
        studies=page.studies,
        next_cursor=page.next,
        counted=translated(call, N_("more than %(what)s"), what=found) if count.at_least else found,
        shown=ngettext_for(call, "%(num)s on this page", "%(num)s on this page", len(page.studies)),
        filtered=wanted != StudyFilter(),
        sorting=_sorting(call, query.sort),
        chips=_chips(call, wanted.modalities),
        opened=opened,
        which=which,
    )


def _chips(call: AnyCall, chosen: tuple[str, ...]) -> list[Chip]:
    shown = [*COMMON_MODALITIES, *(modality for modality in chosen if modality not in COMMON_MODALITIES)]
    chips = []
    for modality in shown:
        on = modality in chosen
        after = [m for m in shown if (m in chosen) != (m == modality)]
        url = url_with(call, modality=",".join(after) or None, cursor=None, open=None, orthanc_study_id=None)
        chips.append(Chip(modality=modality, on=on, url=url))
    return chips


def _sorting(call: AnyCall, sort: StudySort) -> dict[str, dict[str, Any]]:
    """By column: the address that sorts by it, and the direction in which it is sorted now."""

    def column(next_sort: StudySort, direction: str | None) -> dict[str, Any]:
        kept = None if next_sort is StudySort.NEWEST else next_sort.value
        return {"url": url_with(call, sort=kept, cursor=None, open=None, orthanc_study_id=None), "direction": direction}

    dates = {StudySort.NEWEST: "descending", StudySort.OLDEST: "ascending"}
    return {
        "study_date": column(StudySort.OLDEST if sort is StudySort.NEWEST else StudySort.NEWEST, dates.get(sort)),
        "received": column(StudySort.RECEIVED, "descending" if sort is StudySort.RECEIVED else None),
        "patient_name": column(StudySort.PATIENT_NAME, "ascending" if sort is StudySort.PATIENT_NAME else None),
        "patient_id": column(StudySort.PATIENT_ID, "ascending" if sort is StudySort.PATIENT_ID else None),
    }
