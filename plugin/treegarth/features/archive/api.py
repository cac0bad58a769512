"""The archive over HTTP: studies by filter and page, a study with its series, a series' instances."""

from __future__ import annotations

from treegarth.errors import NotFound
from treegarth.features.archive.search_model import InstanceSummary, SeriesSummary, StudySummary
from treegarth.features.archive.store.search import (
    find_series,
    list_instances,
    list_series,
    read_study,
)
from treegarth.index.studies import the_study
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.lists import PageQuery
from treegarth.web.path_models import SeriesPath, StudyPath
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route
from treegarth.web.which_study import WhichStudy

TAG = "archive"


class InstanceQuery(PageQuery, WhichStudy):
    """Which page of the instances, and of which study's series."""


class StudyWithSeries(StudySummary):
    """A study with its series."""

    series: list[SeriesSummary]
    """In the order of their numbers."""


class InstanceList(Answer):
    """A page of a series' instances, in the order of their numbers."""

    items: list[InstanceSummary]
    next: str | None
    """The cursor of the next page; null on the last."""


def study(call: Call[WhichStudy, None, StudyPath]) -> StudyWithSeries:
    with call.connect() as connection:
        key = the_study(connection, call.path.study_instance_uid, call.query.orthanc_study_id)
        study = read_study(connection, key.orthanc_study_id)
        found = list_series(connection, key.orthanc_study_id)
    return StudyWithSeries(**study.model_dump(), series=found)


def instances(call: Call[InstanceQuery, None, SeriesPath]) -> InstanceList:
    with call.connect() as connection:
        key = the_study(connection, call.path.study_instance_uid, call.query.orthanc_study_id)
        identifier = find_series(connection, key.orthanc_study_id, call.path.series_instance_uid)
        if identifier is None:
            raise NotFound("This study has no series with this Series Instance UID.")
        page = list_instances(connection, identifier, limit=call.query.limit, cursor=call.query.cursor)
    return InstanceList(items=list(page.instances), next=page.next)


def routes() -> list[Route]:
    """The archive's part of the API."""
    return [
        route(
            name="api.read_study",
            path=f"{API_PATH}/studies/{{study_instance_uid}}",
            permission=Permission.VIEW,
            handler=study,
            summary="A study with its series.",
            problems=(409, 503),
            tag=TAG,
        ),
        route(
            name="api.list_instances",
            path=f"{API_PATH}/studies/{{study_instance_uid}}/series/{{series_instance_uid}}/instances",
            permission=Permission.VIEW,
            handler=instances,
            summary="The instances of a series, by page.",
            problems=(409, 503),
            tag=TAG,
        ),
    ]
