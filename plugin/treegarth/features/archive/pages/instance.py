"""The page of one object: what it is, its picture or the tree of its report, and its attributes. Reads only.

Every structured report leads here, whatever it is about: OHIF shows few of them.
"""

from __future__ import annotations

from flask import Response
from pydicom.uid import UID
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.dicom.attributes import Attributes, read_attributes
from treegarth.dicom.content_tree import SourceContent, read_content
from treegarth.dicom.relabelling import Relabellings
from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable, UnreadableObject
from treegarth.features.archive.pages.instances import find_it
from treegarth.features.archive.search_model import InstanceSummary
from treegarth.features.archive.store.search import read_study, select_instances
from treegarth.index.relabelling import relabellings_for
from treegarth.index.studies import told_apart
from treegarth.orthanc.header_fetch import read_beginning
from treegarth.phrases import P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.content_tree import ContentTreeQuery, tree_values
from treegarth.web.endpoints import route
from treegarth.web.orthanc_views import explorer_address, picture_address
from treegarth.web.parts import reason_of
from treegarth.web.path_models import InstancePath
from treegarth.web.paths import STUDY_PATH
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.which_study import WhichStudy

PICTURE_PIXELS = 512


class InstanceQuery(ContentTreeQuery, WhichStudy):
    """How the tree of a report is shown, and which study is meant."""


def routes() -> list[Route]:
    return [
        route(
            name="archive.instance_page",
            path=f"{STUDY_PATH}/series/{{series_instance_uid}}/instances/{{sop_instance_uid}}",
            permission=Permission.SEE_STUDIES,
            handler=instance_page,
            summary="One object: its picture or the tree of its report, and its attributes.",
        )
    ]


def instance_page(call: Call[InstanceQuery, None, InstancePath]) -> Response:
    """Raises NotFound for what the index does not have; an object that cannot be read is said to be so."""
    with call.connect() as connection:
        key, its_series = find_it(call.path, connection, call.query)
        found = _find(connection, its_series.orthanc_series_id, call.path.sop_instance_uid)
        study = read_study(connection, key.orthanc_study_id)
        which = told_apart(connection, [key])(key)
        relabellings = relabellings_for(connection, found.orthanc_instance_id)
    content, attributes, unreadable = (None, None, "") if found.nesting_depth else _read(call, found, relabellings)
    is_report = content is not None and (content.node_count > 1 or content.faults)
    picture = picture_address(call.site, found.orthanc_instance_id, found.nesting_depth, pixels=PICTURE_PIXELS)
    return render_page(
        call,
        "archive/instance.html",
        study=study,
        which=which,
        series=its_series,
        instance=found,
        kind=UID(found.sop_class_uid).name if found.sop_class_uid else None,
        syntax=UID(found.transfer_syntax_uid).name if found.transfer_syntax_uid else None,
        attributes=attributes,
        unreadable=unreadable,
        picture_url=picture if found.rows and found.columns else None,
        explorer_url=explorer_address(call.site, found.orthanc_instance_id, found.nesting_depth),
        **tree_values(content if is_report else None, call.query),
    )


def _find(connection: Connection, orthanc_series_id: str, sop_instance_uid: str) -> InstanceSummary:
    row = connection.execute(select_instances(orthanc_series_id, sop_instance_uid=sop_instance_uid).limit(1)).first()
    if row is None:
        raise NotFound(P_("This series has no object with this SOP Instance UID."))
    return InstanceSummary.model_validate(row)


def _read(
    call: AnyCall, found: InstanceSummary, relabellings: Relabellings
) -> tuple[SourceContent | None, Attributes | None, str]:
    """Its tree, its attributes, and why there are none."""
    try:
        data = read_beginning(call.services.orthanc, found.orthanc_instance_id)
        return read_content(data, relabellings), read_attributes(data, relabellings), ""
    except (NotFound, UnreadableObject, OrthancRefused, OrthancUnavailable) as error:
        return None, None, reason_of(call, error)
