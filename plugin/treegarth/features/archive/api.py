"""The archive over HTTP beside its lists of studies and of instances: a study with its series, and its comparison."""

from __future__ import annotations

from treegarth.access.actors import Permission
from treegarth.features.archive.comparison import compare
from treegarth.features.archive.search_model import SeriesSummary, StudySummary
from treegarth.features.archive.store.search import list_series, read_study
from treegarth.index.studies import the_study
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.path_models import StudyPath
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Route
from treegarth.web.which_study import WhichStudy
from treegarth.work.store import LongWork

TAG = "archive"


class StudyWithSeries(StudySummary):
    """A study with its series."""

    series: list[SeriesSummary]
    """In the order of their numbers."""


def study(call: Call[WhichStudy, None, StudyPath]) -> StudyWithSeries:
    with call.connect() as connection:
        key = the_study(connection, call.path.study_instance_uid, call.query.orthanc_study_id)
        study = read_study(connection, key.orthanc_study_id)
        found = list_series(connection, key.orthanc_study_id)
    return StudyWithSeries(**study.model_dump(), series=found)


def reconcile(call: Call[None, None, None]) -> LongWork:
    return compare(call)


def routes() -> list[Route]:
    """The archive's part of the API."""
    return [
        route(
            name="api.read_study",
            path=f"{API_PATH}/studies/{{study_instance_uid}}",
            permission=Permission.SEE_STUDIES,
            handler=study,
            summary="A study with its series.",
            problems=(409, 503),
            tag=TAG,
        ),
        route(
            name="api.reconcile",
            path=f"{API_PATH}/reconcile",
            method="POST",
            permission=Permission.OPERATE,
            handler=reconcile,
            summary="Compare the index with Orthanc now, and repair it; one that runs goes on.",
            status=202,
            problems=(503,),
            tag="system",
        ),
    ]
