"""The dose of one study by itself: for studies that have left the archive and have no other page. Reads only."""

from __future__ import annotations

from flask import Response

from treegarth.errors import NotFound
from treegarth.features.dose.pages.names import kinds_in_words
from treegarth.features.dose.pages.sections import study_section
from treegarth.features.dose.store.studies import DoseStudy, find_studies_with_dose, is_archived
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall
from treegarth.web.routes import Parameters, Permission, Route, Text
from treegarth.web.templating import render_page

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
        )
    ]


def study_address(call: AnyCall, study: DoseStudy) -> str:
    """Where a row of a list leads: to the study's page, or, when its objects are gone, to what is left of it."""
    if study.source_deleted_at is None:
        return call.site.url("archive.study_page", study_instance_uid=study.study_instance_uid) + "#dose"
    return call.site.url(PAGE, study_instance_uid=study.study_instance_uid)


def kept_study_address(call: AnyCall, study_instance_uid: str) -> str | None:
    """What dose lends to the page of a study that the index has no more: where its dose is, if there is one."""
    with call.site.services.database.connect() as connection:
        found = find_studies_with_dose(connection, study_instance_uid)
    return call.site.url(PAGE, study_instance_uid=study_instance_uid) if found else None


def study_page(call: AnyCall) -> Response:
    uid = call.path.study_instance_uid
    with call.site.services.database.connect() as connection:
        found = find_studies_with_dose(connection, uid)
        in_archive = is_archived(connection, uid)
    if not found:
        raise NotFound(N_("The registry has no dose of a study with this Study Instance UID."))
    return render_page(
        call,
        "dose_study.html",
        study=found[0],
        kinds=kinds_in_words(call, found[0].kinds),
        in_archive=in_archive,
        section=study_section(call, uid),
    )
