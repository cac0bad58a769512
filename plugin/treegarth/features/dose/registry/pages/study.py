"""The dose of one study by itself: for studies that have left the archive and have no other page. Reads only."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.pages.names import kinds_in_words
from treegarth.features.dose.registry.pages.sections import study_section
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.features.dose.registry.store.events import DoseEvent
from treegarth.features.dose.registry.store.studies import (
    DoseStudy,
    find_study_with_dose,
    is_archived,
    is_pictured,
    kept_studies,
    study_of_uid,
    told_apart_with_kept,
)
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.orthanc_views import viewer_address
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.web.which_study import StudyPageQuery

PAGE = "dose.study_page"


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/studies/{study_instance_uid}",
            permission=Permission.SEE_DOSE,
            handler=study_page,
            summary="The dose of one study, also of one that has left the archive.",
        )
    ]


def study_address(call: AnyCall, study: DoseStudy | DoseEvent, which: str | None) -> str:
    """Where a row of a list leads: to the study's page, or, when its objects are gone, to what is left of it. `which`
    tells it from other studies with its UID (`told_apart_with_kept`)."""
    if study.source_deleted_at is not None:
        return dose_page_of(call, study.study_instance_uid, which)
    address = call.site.url("archive.study_page", study_instance_uid=study.study_instance_uid, orthanc_study_id=which)
    return f"{address}#dose"


def kept_study_address(call: AnyCall, study_instance_uid: str, orthanc_study_id: str | None) -> str | None:
    """What dose lends to the page of a study that the index has no more: where its dose is, if there is one."""
    with call.connect() as connection:
        kept = kept_studies(connection, study_instance_uid)
    if not kept or (orthanc_study_id and orthanc_study_id not in kept):
        return None
    return dose_page_of(call, study_instance_uid, orthanc_study_id or None)


def study_page(call: Call[StudyPageQuery, None, StudyPath]) -> Response:
    """Of several studies with this UID, and none named: which one is meant is asked, never guessed.

    A study without dose has its own page only: the decisions about it are listed with a link to here.
    """
    uid = call.path.study_instance_uid
    with call.connect() as connection:
        key = study_of_uid(connection, uid, call.query.orthanc_study_id)
        study = None if key is None else find_study_with_dose(connection, key.orthanc_study_id)
        device_key = study.device_key if study else None
        device = shown_devices(connection, [device_key])[device_key] if device_key else ""
        in_archive = key is not None and is_archived(connection, key.orthanc_study_id)
        which = told_apart_with_kept(connection, [study])(study) if study else None
        pictured = study is not None and in_archive and is_pictured(connection, study.orthanc_study_id)
    if study is None and in_archive:
        which_one = call.query.orthanc_study_id
        return see_other(call, call.site.url("archive.study_page", study_instance_uid=uid, orthanc_study_id=which_one))
    if study is None:
        raise NotFound(N_("The registry has no dose of a study with this Study Instance UID."))
    return render_page(
        call,
        "dose/study.html",
        study=study,
        kinds=kinds_in_words(study.kinds),
        device=device,
        in_archive=in_archive,
        which=which,
        viewer_url=viewer_address(call.site, uid, is_shown=pictured and which is None),
        section=study_section(call, StudyKey(orthanc_study_id=study.orthanc_study_id, study_instance_uid=uid)),
    )
