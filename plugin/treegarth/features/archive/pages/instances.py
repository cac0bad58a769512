"""The list of a series' instances.

Only the series itself has an index. No order has one: a series has hundreds or thousands of objects, which are sorted
within milliseconds, and each index of all objects would cost every store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.uid import UID
from sqlalchemy import Connection, Select

from treegarth.errors import NotFound
from treegarth.features.archive.search_model import InstanceSummary, SeriesSummary
from treegarth.features.archive.store.search import find_series, read_study, select_instances
from treegarth.index.studies import StudyKey, the_study, told_apart
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import Asker, Call
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.path_models import SeriesPath
from treegarth.web.routes import Text
from treegarth.web.which_study import WhichStudy

RARE = ("http_user", "nesting_depth")


class InstancesAsked(WhichStudy):
    """Which instances of the series."""

    sop_instance_uid: Text | None = None
    """(0008,0018), exactly, or with the wildcards `*` and `?`."""
    remote_ae_title: Text | None = None
    """Of the node that sent them, exactly, or with the wildcards `*` and `?`."""
    http_user: Text | None = None
    """Who uploaded them over the web, exactly, or with the wildcards `*` and `?`."""
    issues: bool = False
    """Only those that were not read in every part."""


def find_it(path: SeriesPath, connection: Connection, asked: WhichStudy) -> tuple[StudyKey, SeriesSummary]:
    """The study and its series that the address names. Raises NotFound."""
    key = the_study(connection, path.study_instance_uid, asked.orthanc_study_id)
    found = find_series(connection, key.orthanc_study_id, path.series_instance_uid)
    if found is None:
        raise NotFound(P_("This study has no series with this Series Instance UID."))
    return key, found


def find(asker: Asker, connection: Connection, asked: InstancesAsked) -> Select[Any]:
    _, its_series = find_it(asker.path, connection, asked)
    return select_instances(
        its_series.orthanc_series_id,
        sop_instance_uid=asked.sop_instance_uid,
        remote_ae_title=asked.remote_ae_title,
        http_user=asked.http_user,
        issues=asked.issues,
    )


def extras(
    call: Call[object, object, SeriesPath],
    connection: Connection,
    asked: InstancesAsked,
    instances: Sequence[InstanceSummary],
) -> Mapping[str, Any]:
    key, its_series = find_it(call.path, connection, asked)
    return {
        "study": read_study(connection, key.orthanc_study_id),
        "which": told_apart(connection, [key])(key),
        "series": its_series,
        "name_of": lambda uid: UID(uid).name,
    }


def shown(asked: InstancesAsked, instances: Sequence[InstanceSummary]) -> Sequence[Column]:
    """Without the columns that few objects have a value for, where none of these has one."""
    return [one for one in INSTANCES.columns if one.name not in RARE or any(_has(row, one.name) for row in instances)]


def _has(row: InstanceSummary, name: str) -> bool:
    return getattr(row, name) is not None


INSTANCES = Listing(
    name="archive.instances",
    title=N_("Instances"),
    counts=NN_("%(num)s instance", "%(num)s instances"),
    path="studies/{study_instance_uid}/series/{series_instance_uid}/instances",
    api_name="list_instances",
    api_path="studies/{study_instance_uid}/series/{series_instance_uid}/instances",
    parts=SeriesPath,
    kept=("orthanc_study_id",),
    tag="archive",
    summary="The instances of a series, by page.",
    record=InstanceSummary,
    asked=InstancesAsked,
    query=find,
    unique="orthanc_instance_id",
    order="instance_number",
    columns=(
        Column(name="instance_number", label=N_("No.")),
        Column(name="sop_instance_uid", label="SOP Instance UID"),
        Column(name="sop_class_uid", label=N_("Kind"), narrow="c-4"),
        Column(name="image_type", label=N_("Image type"), narrow="c-3"),
        Column(name="number_of_frames", label=N_("Frames"), narrow="c-4"),
        Column(name="rows", label=N_("Rows × columns"), form="own", sorts_by=("rows", "columns"), narrow="c-3"),
        Column(
            name="acquisition_date",
            label=N_("Acquired"),
            sorts_by=("acquisition_date", "acquisition_time"),
            narrow="c-2",
        ),
        Column(name="transfer_syntax_uid", label=N_("Transfer syntax"), narrow="c-4"),
        Column(name="size_bytes", label=N_("Size"), form="size"),
        Column(name="remote_ae_title", label=N_("Source"), narrow="c-1"),
        Column(name="called_ae_title", label=N_("Called AE title"), narrow="c-4"),
        Column(name="remote_ip", label=N_("Address"), narrow="c-4"),
        Column(name="http_user", label=N_("Uploaded by")),
        Column(name="received_at", label=N_("Received"), narrow="c-1"),
        Column(name="indexed_at", label=N_("Indexed"), narrow="c-4"),
        Column(name="nesting_depth", label=N_("Nested")),
        Column(name="issues", label=N_("Not read"), sorts_by=(), narrow="c-0"),
        Column(name="file", label=N_("DICOM file"), sorts_by=()),
    ),
    filters=(
        Filter(name="sop_instance_uid", label="SOP Instance UID", width="uid"),
        Filter(name="remote_ae_title", label=N_("Source")),
        Filter(name="http_user", label=N_("Uploaded by")),
        Filter(name="issues", label=N_("Read in part"), choices={"true": N_("yes")}),
    ),
    empty=Empty(
        title=N_("Nothing of this series is here"),
        text=N_("Its objects were pruned or are still to be read into the index. What arrives is listed here."),
        filtered=N_("No instance fits these filters"),
    ),
    template="archive/instances.html",
    shown=shown,
    extras=extras,
)
