"""The dose of one study by itself: for studies that have left the archive and have no other page. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from flask import Response

from treegarth.errors import NotFound
from treegarth.features.dose.pages.names import kinds_in_words
from treegarth.features.dose.pages.sections import dose_page_of, section_of
from treegarth.features.dose.store.studies import (
    DoseStudy,
    choose_study_with_dose,
    find_studies_with_dose,
    find_study_with_dose,
    is_archived,
)
from treegarth.index.studies import told_apart
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall
from treegarth.web.routes import Parameters, Permission, Route, Text
from treegarth.web.templating import render_page
from treegarth.web.which_study import WhichStudy

PAGE = "dose.study_page"


class DoseStudyPath(Parameters):
    study_instance_uid: Text
    """The study's Study Instance UID (0020,000D)."""


def routes() -> list[Route]:
    return [
        Route(
            name=PAGE,
            path="/treegarth/dose/studies/{study_instance_uid}",
            permission=Permission.VIEW,
            handler=study_page,
            summary="The dose of one study, also of one that has left the archive.",
            path_parameters=DoseStudyPath,
            query=WhichStudy,
        )
    ]


def study_address(call: AnyCall, study: DoseStudy, shared: Collection[str] = ()) -> str:
    """Where a row of a list leads: to the study's page, or, when its objects are gone, to what is left of it. `shared`
    are Study Instance UIDs that several studies have."""
    which = study.orthanc_study_id if study.study_instance_uid in shared else None
    if study.source_deleted_at is not None:
        return dose_page_of(call, study.study_instance_uid, which)
    address = call.site.url("archive.study_page", study_instance_uid=study.study_instance_uid, orthanc_study_id=which)
    return f"{address}#dose"


def kept_study_address(call: AnyCall, study_instance_uid: str) -> str | None:
    """What dose lends to the page of a study that the index has no more: where its dose is, if there is one."""
    with call.site.services.database.connect() as connection:
        found = find_studies_with_dose(connection, study_instance_uid)
    return call.site.url(PAGE, study_instance_uid=study_instance_uid) if found else None


def study_page(call: AnyCall) -> Response:
    """Of several studies with this UID, and none named: which one is meant is asked, never guessed."""
    uid = call.path.study_instance_uid
    with call.site.services.database.connect() as connection:
        chosen = choose_study_with_dose(connection, uid, call.query.orthanc_study_id or None)
        study = None if chosen is None else find_study_with_dose(connection, chosen)
        in_archive = chosen is not None and is_archived(connection, chosen)
        which = told_apart(connection, [study])(study) if study else None
    if study is None:
        raise NotFound(N_("The registry has no dose of a study with this Study Instance UID."))
    return render_page(
        call,
        "dose_study.html",
        study=study,
        kinds=kinds_in_words(call, study.kinds),
        in_archive=in_archive,
        which=which,
        section=section_of(call, study.orthanc_study_id),
    )
