"""The page of one study: who, when, its series with thumbnails, and what other features have to say about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.dicom.relabelling import DEVICE, LOOKS_BROKEN
from treegarth.errors import NotFound
from treegarth.feature import House
from treegarth.features.archive.search_model import Face, SeriesSummary, StudySummary
from treegarth.features.archive.store.deep_objects import DeepObject, DeepStudy, deep_objects_of, deep_studies_met
from treegarth.features.archive.store.overview import issues_of_study
from treegarth.features.archive.store.search import faces_of, list_series, other_studies, read_study
from treegarth.index.labels import known_labels, list_labels
from treegarth.index.studies import OfStudy, StudyKey, key_of, others_of, the_study, told_apart
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.orthanc_views import picture_address, viewer_address
from treegarth.web.path_models import OrthancStudyPath, StudyPath
from treegarth.web.paths import STUDY_PATH
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.which_study import StudyPageQuery

THUMBNAIL_PIXELS = 400  # about twice the size on the page, for dense screens
MOST_OTHERS = 20
"""Of the patient's other studies, on the page; the list has all."""
MOST_MET = 5


@dataclass(frozen=True, kw_only=True)
class ShownSeries:
    """A series and where its picture, its objects and Orthanc's page of it are; `open_url` is what a reader wants of
    it: the viewer on this series, or its report."""

    summary: SeriesSummary
    face: Face | None
    picture_url: str | None
    open_url: str | None
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
    """A study with its series; `namesakes` are other patients' studies that have the same UID.

    `deep_objects` are those of its objects that Orthanc cannot show, `met` the studies with such objects that a viewer
    of this one would come to. It has no viewer then, nor where it has namesakes: OHIF, which knows studies by the UID
    alone, would show all of them as one.
    """

    summary: StudySummary
    series: list[ShownSeries]
    namesakes: int
    deep_objects: list[DeepObject]
    met: list[DeepStudy]
    which_met: Callable[[OfStudy], str | None]
    viewer_url: str | None

    @property
    def is_pictured(self) -> bool:
        """Whether the viewer has images to show, and is what a reader comes for."""
        return any(one.face.has_picture for one in self.series if one.face)

    @property
    def report_url(self) -> str | None:
        """The first of its reports, where there is nothing else to look at."""
        return next((one.open_url for one in self.series if one.face and one.face.is_report), None)

    @property
    def deepest(self) -> int:
        return max((one.nesting_depth for one in self.deep_objects), default=0)

    @property
    def which(self) -> str | None:
        """What its addresses say beside the UID, where others have it."""
        return self.summary.orthanc_study_id if self.namesakes else None

    @property
    def broken_device(self) -> dict[str, str] | None:
        """The device whose text looks as if it was in another character set than its label says."""
        texts = [self.summary.patient_name, self.summary.study_description]
        texts += [one.summary.series_description for one in self.series]
        if not self.series or not any(text and re.search(LOOKS_BROKEN, text) for text in texts):
            return None
        return {name: value for name in DEVICE if (value := getattr(self.series[0].summary, name, None))}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.summary, name)


def routes() -> list[Route]:
    return [
        route(
            name="archive.study_page",
            path=STUDY_PATH,
            permission=Permission.SEE_STUDIES,
            handler=study_page,
            summary="One study: its series, its dose, and where else to look at it.",
        ),
        route(
            name="archive.open_study",
            path="/treegarth/open/studies/{orthanc_study_id}",
            permission=Permission.SEE_STUDIES,
            handler=open_of_orthanc,
            status=302,
            summary="To the page of a study that Orthanc's own pages know by their identifier.",
        ),
    ]


def study_page(call: Call[StudyPageQuery, None, StudyPath]) -> Response:
    """Of a study that is gone: to where another feature keeps what it knows of it."""
    house = call.part(House)
    uid, asked = call.path.study_instance_uid, call.query.orthanc_study_id
    try:
        with call.connect() as connection:
            key = the_study(connection, uid, asked)
            shown = open_study(call, connection, key)
            issues = issues_of_study(connection, [key.orthanc_study_id])
            others = other_studies(connection, shown.summary, limit=MOST_OTHERS + 1)
            parts: dict[str, Any] = {
                "labels": list_labels(connection, key.orthanc_study_id),
                "known_labels": known_labels(connection),
                "others": others[:MOST_OTHERS],
                "has_more_others": len(others) > MOST_OTHERS,
                "which_other": told_apart(connection, others),
                "notes": notes_of(call, connection, [one.orthanc_study_id for one in others]),
            }
    except NotFound:
        for address in (find(call, uid, asked) for find in house.kept_studies()):
            if address is not None:
                return Response(status=302, headers={"Location": address})
        raise
    return render_page(
        call,
        "archive/study.html",
        study=shown,
        issues=issues,
        **parts,
        explorer_url=explorer_address(call, "study", shown.summary.orthanc_study_id, uid),
        archive_url=call.site.orthanc_url(f"/studies/{shown.summary.orthanc_study_id}/archive"),
        sections=[section for make in house.study_sections() if (section := make(call, key)) is not None],
    )


def open_of_orthanc(call: Call[None, None, OrthancStudyPath]) -> Response:
    """Where the button in Orthanc Explorer leads."""
    with call.connect() as connection:
        key = key_of(connection, call.path.orthanc_study_id)
        which = told_apart(connection, [key])(key) if key else None
    if key is None:
        raise NotFound(
            N_("The index has no study with this identifier of Orthanc. One that has just come takes seconds.")
        )
    address = call.site.url("archive.study_page", study_instance_uid=key.study_instance_uid, orthanc_study_id=which)
    return Response(status=302, headers={"Location": address})


def open_study(call: AnyCall, connection: Connection, key: StudyKey) -> ShownStudy:
    """A study with its series. Raises NotFound where it left meanwhile."""
    uid = key.study_instance_uid
    deep = deep_objects_of(connection, key.orthanc_study_id)
    series = list_series(connection, key.orthanc_study_id)
    faces = faces_of(connection, [one.header_orthanc_instance_id for one in series])
    met = deep_studies_met(connection, [uid], limit=MOST_MET)
    namesakes = others_of(connection, key)
    is_viewed = not met and not namesakes and any(one.has_picture or one.is_document for one in faces.values())
    which = key.orthanc_study_id if namesakes else None
    return ShownStudy(
        summary=read_study(connection, key.orthanc_study_id),
        series=[
            _shown_series(call, key, one, deep, faces.get(one.header_orthanc_instance_id or ""), is_viewed, which)
            for one in series
        ],
        namesakes=namesakes,
        deep_objects=deep,
        met=met,
        which_met=told_apart(connection, met),
        viewer_url=viewer_address(call.site, uid, is_shown=is_viewed),
    )


def notes_of(call: AnyCall, connection: Connection, orthanc_study_ids: Sequence[str]) -> Mapping[str, list[Markup]]:
    """What features say of each study, by Orthanc's identifier."""
    found: dict[str, list[Markup]] = {}
    for make in call.part(House).study_notes():
        for orthanc_study_id, note in make(call, connection, orthanc_study_ids).items():
            found.setdefault(orthanc_study_id, []).append(note)
    return found


def explorer_address(call: AnyCall, level: str, orthanc_id: str, study_instance_uid: str) -> str:
    """Where Orthanc's own page of a study or series is: Explorer 2 where it is installed, the old one elsewhere.

    Explorer 2 finds studies, and nothing by a Series Instance UID: of a series it is led to the study with its series
    unfolded.
    """
    services = call.services
    if not services.orthanc.has_plugin("orthanc-explorer-2"):
        return call.site.orthanc_url("/app/explorer.html") + f"#{level}?uuid={orthanc_id}"
    place = f"{services.reach.explorer_2}/app/filtered-studies"
    return call.site.orthanc_url(place, StudyInstanceUID=study_instance_uid, expand=level)


def _shown_series(
    call: AnyCall,
    key: StudyKey,
    summary: SeriesSummary,
    deep: Sequence[DeepObject],
    face: Face | None,
    is_viewed: bool,
    which: str | None,
) -> ShownSeries:
    picture, site = summary.header_orthanc_instance_id, call.site
    depths = {one.orthanc_instance_id: one.nesting_depth for one in deep}
    uids = {"study_instance_uid": key.study_instance_uid, "series_instance_uid": summary.series_instance_uid}
    open_url = None
    if face is not None and face.is_report:
        uids["sop_instance_uid"] = face.sop_instance_uid
        open_url = site.url("archive.instance_page", **uids, orthanc_study_id=which)
    elif face is not None and (face.has_picture or face.is_document):
        series_uid = summary.series_instance_uid
        open_url = viewer_address(site, key.study_instance_uid, is_shown=is_viewed, series_instance_uid=series_uid)
    return ShownSeries(
        summary=summary,
        face=face,
        picture_url=picture_address(site, picture, depths.get(picture), pixels=THUMBNAIL_PIXELS)
        if picture is not None and face is not None and face.has_picture
        else None,
        open_url=open_url,
        explorer_url=explorer_address(call, "series", summary.orthanc_series_id, key.study_instance_uid),
        archive_url=site.orthanc_url(f"/series/{summary.orthanc_series_id}/archive"),
    )
