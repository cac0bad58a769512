"""A source of dose over HTTP: its content, and that it is read once more."""

from __future__ import annotations

from treegarth.access.actors import Permission
from treegarth.dicom.content_tree import ContentNode, read_content
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.features.dose.registry.store.queue import retry_failed, retry_source
from treegarth.features.dose.registry.store.source import find_source
from treegarth.index.relabelling import relabellings_for
from treegarth.orthanc.header_fetch import read_beginning
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.endpoints import Retried
from treegarth.web.path_models import OrthancInstancePath
from treegarth.web.routes import Route


class ContentFault(Listed):
    place: str
    reason: str


class SourceContent(Listed):
    """The content tree of a source object; of an image only a root without children."""

    root: ContentNode
    faults: list[ContentFault]
    """What of the tree could not be read."""
    node_count: int


def retry(call: Call[None, None, OrthancInstancePath]) -> Retried:
    with call.begin() as connection:
        return Retried(retried=retry_source(connection, call.path.orthanc_instance_id))


def retry_all(call: Call[None, None, None]) -> Retried:
    with call.begin() as connection:
        return Retried(retried=retry_failed(connection))


def content(call: Call[None, None, OrthancInstancePath]) -> SourceContent:
    with call.connect() as connection:
        source = find_source(connection, call.path.orthanc_instance_id)
        relabellings = relabellings_for(connection, source.orthanc_instance_id)
    if source.source_deleted_at is not None:
        raise NotFound(P_("The source object has left the archive; what was read of it stays."))
    if source.nesting_depth is not None:
        raise RequestConflict(
            P_("Its sequences are nested %(depth)s deep: it is not shown.", depth=source.nesting_depth)
        )
    data = read_beginning(call.services.orthanc, source.orthanc_instance_id)
    return SourceContent.model_validate(read_content(data, relabellings))


def routes() -> list[Route]:
    """A source's content, and reading again."""
    return [
        dose_route(
            "dose_content",
            "reports/{orthanc_instance_id}/content",
            content,
            "The content tree of a source object.",
            problems=(409, 422, 502, 503),
        ),
        dose_route(
            "retry_dose_report",
            "reports/{orthanc_instance_id}/retry",
            retry,
            "Read a source again that could not be read.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            problems=(409, 503),
        ),
        dose_route(
            "retry_dose_reports",
            "retry",
            retry_all,
            "Read every source again that could not be read.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
        ),
    ]
