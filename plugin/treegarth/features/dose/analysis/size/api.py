"""Size-specific dose over HTTP: of one study, and that series are measured."""

from __future__ import annotations

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.dose.analysis.size.store.lists import MeasuredSeries, series_of_study
from treegarth.features.dose.analysis.size.store.queue import retry_failed
from treegarth.features.dose.analysis.size.store.walk import start_measuring
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.store.studies import study_of_uid
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.endpoints import Retried
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, Route
from treegarth.web.which_study import WhichStudy
from treegarth.work.store import LongWork


class StudySsde(Answer):
    """The CT series of a study with their size-specific dose estimates."""

    study_instance_uid: str
    series: list[MeasuredSeries]
    """By number, those that came to rest; none of a study without CT."""


def of_study(call: Call[WhichStudy, None, StudyPath]) -> StudySsde:
    """Also of one that has left the archive. Raises AmbiguousStudy where several patients have one of this UID."""
    uid = call.path.study_instance_uid
    with call.connect() as connection:
        key = study_of_uid(connection, uid, call.query.orthanc_study_id)
        if key is None:
            raise NotFound(P_("There is no study with this Study Instance UID."))
        return StudySsde(study_instance_uid=uid, series=series_of_study(connection, key.orthanc_study_id))


def start(call: Call[None, None, None]) -> LongWork:
    with call.begin() as connection:
        return start_measuring(connection, call.actor.name, call.services.clock())


def retry(call: Call[None, None, None]) -> Retried:
    with call.begin() as connection:
        return Retried(retried=retry_failed(connection))


def routes() -> list[Route]:
    return [
        dose_route(
            "study_ssde",
            "studies/{study_instance_uid}/ssde",
            of_study,
            "The CT series of a study, slice by slice, with their size-specific dose estimates.",
            problems=(409, 503),
        ),
        dose_route(
            "start_dose_measuring",
            "ssde/measuring",
            start,
            "Measure the CT series of the archive that were not measured yet; one that runs goes on.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            status=202,
        ),
        dose_route(
            "retry_dose_ssde",
            "ssde/retry",
            retry,
            "Measure every CT series again that could not be measured.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
        ),
    ]
