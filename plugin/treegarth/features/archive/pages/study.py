"""The page of one study: who, when, its series with thumbnails, and what other features have to say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Response
from sqlalchemy import Connection

from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable
from treegarth.features.archive.search_model import SeriesSummary, StudySummary
from treegarth.features.archive.store.overview import issues_of_study
from treegarth.features.archive.store.searching import list_series, read_studies
from treegarth.host.orthanc_client import OrthancClient
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall, StudyAddress, StudySection
from treegarth.web.routes import Parameters, Permission, Route
from treegarth.web.templating import render_page

THUMBNAIL_PIXELS = 144  # twice the size on the page, for dense screens
WITHOUT_PICTURE = frozenset(
    {"SR", "KO", "PR", "DOC", "SEG", "RTSTRUCT", "RTPLAN", "REG", "RWV", "AU", "HD", "ECG", "PLAN"}
)


class StudyPath(Parameters):
    study_instance_uid: str
    """The study's Study Instance UID (0020,000D)."""


@dataclass(frozen=True, kw_only=True)
class ShownSeries:
    """A series and where its picture, its objects and Orthanc's page of it are."""

    summary: SeriesSummary
    picture_url: str | None
    explorer_url: str
    archive_url: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.summary, name)

    @property
    def equipment(self) -> str:
        parts = (self.summary.manufacturer, self.summary.manufacturer_model_name, self.summary.station_name)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class ShownStudy:
    """A study with its series; `namesakes` are other patients' studies that carry the same UID by mistake."""

    summary: StudySummary
    series: list[ShownSeries]
    namesakes: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.summary, name)


def routes(sections: Sequence[StudySection], kept_elsewhere: Sequence[StudyAddress] = ()) -> list[Route]:
    return [
        Route(
            name="archive.study_page",
            path="/treegarth/studies/{study_instance_uid}",
            permission=Permission.VIEW,
            handler=lambda call: study_page(call, sections, kept_elsewhere),
            summary="One study: its series, its dose, and where else to look at it.",
            path_parameters=StudyPath,
        )
    ]


def study_page(
    call: AnyCall, sections: Sequence[StudySection], kept_elsewhere: Sequence[StudyAddress] = ()
) -> Response:
    """Of a study that is gone: to where another feature keeps what it knows of it."""
    uid = call.path.study_instance_uid
    with call.site.services.database.connect() as connection:
        shown = open_study(call, connection, uid)
        issues = issues_of_study(connection, [shown.summary.orthanc_study_id]) if shown else []
    if shown is None:
        for address in (find(call, uid) for find in kept_elsewhere):
            if address is not None:
                return Response(status=302, headers={"Location": address})
        raise NotFound(N_("The index has no study with this Study Instance UID."))
    return render_page(
        call,
        "study.html",
        study=shown,
        issues=issues,
        viewer_url=viewer_address(uid),
        explorer_url=ExplorerAddress(call.site.services.orthanc).of("study", shown.summary.orthanc_study_id, uid),
        archive_url=f"/studies/{shown.summary.orthanc_study_id}/archive",
        sections=[section for make in sections if (section := make(call, uid)) is not None],
    )


def open_study(call: AnyCall, connection: Connection, study_instance_uid: str) -> ShownStudy | None:
    """The fullest study of the UID with its series, None where the index has none."""
    studies = read_studies(connection, study_instance_uid)
    if not studies:
        return None
    explorer = ExplorerAddress(call.site.services.orthanc)
    series = [_shown_series(found, explorer) for found in list_series(connection, [studies[0].orthanc_study_id])]
    return ShownStudy(summary=studies[0], series=series, namesakes=len(studies) - 1)


def viewer_address(study_instance_uid: str) -> str:
    return f"/treegarth/ohif/viewer?StudyInstanceUIDs={quote(study_instance_uid)}"


def _shown_series(summary: SeriesSummary, explorer: ExplorerAddress) -> ShownSeries:
    picture = summary.header_orthanc_instance_id
    size = f"width={THUMBNAIL_PIXELS}&height={THUMBNAIL_PIXELS}"
    has_picture = picture is not None and summary.instance_count > 0 and summary.modality not in WITHOUT_PICTURE
    return ShownSeries(
        summary=summary,
        picture_url=f"/instances/{picture}/rendered?{size}" if has_picture else None,
        explorer_url=explorer.of("series", summary.orthanc_series_id, summary.series_instance_uid),
        archive_url=f"/series/{summary.orthanc_series_id}/archive",
    )


class ExplorerAddress:
    """Where Orthanc's own pages are: Explorer 2 where it is installed, the old one elsewhere."""

    def __init__(self, orthanc: OrthancClient) -> None:
        self._orthanc = orthanc
        self._has_explorer_2: bool | None = None

    def of(self, level: str, orthanc_id: str, uid: str) -> str:
        if self._has_explorer_2 is None:
            self._has_explorer_2 = self._ask()
        if not self._has_explorer_2:
            return f"/app/explorer.html#{level}?uuid={orthanc_id}"
        keyword = "StudyInstanceUID" if level == "study" else "SeriesInstanceUID"
        return f"/ui/app/filtered-studies?{keyword}={quote(uid)}&expand={level}"

    def _ask(self) -> bool:
        try:
            return "orthanc-explorer-2" in self._orthanc.get("/plugins", timeout_s=2)
        except (OrthancUnavailable, OrthancRefused):
            return False
