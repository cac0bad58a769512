"""The source object of a dose as a tree that can be read. Reads only."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.dicom.content_tree import read_content
from treegarth.errors import NotFound, UnreadableObject
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.store.source import Source, find_source
from treegarth.features.dose.registry.store.studies import find_study_with_dose, told_apart_with_kept
from treegarth.index.relabelling import relabellings_for
from treegarth.orthanc.header_fetch import read_beginning
from treegarth.web.call import AnyCall, Call
from treegarth.web.content_tree import ContentTreeQuery, tree_values
from treegarth.web.endpoints import route
from treegarth.web.orthanc_views import explorer_address, tags_address
from treegarth.web.parts import reason_of
from treegarth.web.path_models import OrthancInstancePath
from treegarth.web.routes import Route
from treegarth.web.templates import render_page


def routes() -> list[Route]:
    return [
        route(
            name="dose.content_page",
            path="/treegarth/dose/reports/{orthanc_instance_id}/content",
            permission=Permission.SEE_DOSE,
            handler=content_page,
            summary="The content tree of a source object.",
        )
    ]


def content_page(call: Call[ContentTreeQuery, None, OrthancInstancePath]) -> Response:
    """Raises NotFound for what the registry does not know; an object that is gone is said to be so."""
    services = call.services
    with call.connect() as connection:
        source = find_source(connection, call.path.orthanc_instance_id)
        relabellings = relabellings_for(connection, source.orthanc_instance_id)
    content, unreadable = None, ""
    if source.source_deleted_at is None and source.nesting_depth is None:
        try:
            content = read_content(read_beginning(services.orthanc, source.orthanc_instance_id), relabellings)
        except NotFound:
            content = None
        except UnreadableObject as error:
            unreadable = reason_of(call, error)
    return render_page(
        call,
        "dose/content.html",
        source=source,
        study_url=_study_url(call, source),
        **tree_values(content, call.query),
        explorer_url=explorer_address(call.site, source.orthanc_instance_id, source.nesting_depth)
        if content is not None
        else None,
        unreadable=unreadable,
        tags_url=tags_address(call.site, source.orthanc_instance_id, source.nesting_depth),
    )


def _study_url(call: AnyCall, source: Source) -> str | None:
    """None where nothing is left of the study, as of an object that held no dose."""
    with call.connect() as connection:
        which = told_apart_with_kept(connection, [source])(source)
        kept = find_study_with_dose(connection, source.orthanc_study_id)
    if source.source_deleted_at is not None:
        return None if kept is None else study_address(call, kept, which)
    uid = source.study_instance_uid
    return call.site.url("archive.study_page", study_instance_uid=uid, orthanc_study_id=which) + "#dose"
