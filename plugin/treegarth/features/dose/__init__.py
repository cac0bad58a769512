"""Radiation dose: readers of every source, the registry of what was read, and what the rest of the house asks of it.

This is the feature's front door: other parts import from here and from `reading_json`, never from deeper inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from treegarth.feature import Feature, House, Work
from treegarth.features.dose.registry.candidates import is_candidate, is_sampled
from treegarth.features.dose.registry.service import follow_deleted, follow_indexed, reread
from treegarth.features.dose.registry.store.modalities import note_modalities
from treegarth.features.dose.registry.store.queue import count_waiting
from treegarth.features.dose.registry.store.redecision import redeciding_progress, start_redeciding
from treegarth.features.dose.registry.store.reread_walk import reread_progress
from treegarth.features.dose.registry.store.samples import REST
from treegarth.features.dose.registry.tasks import READ_WAITING, SAMPLE_SERIES
from treegarth.index.tables import study

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.vocabulary import Term
    from treegarth.web.metrics import Measure
    from treegarth.web.parts import HealthCheck, PageSection, StudyAddress, StudySection
    from treegarth.web.routes import Route
    from treegarth.web.services import Services

__all__ = [
    "FEATURE",
    "READ_WAITING",
    "REST",
    "SAMPLE_SERIES",
    "count_waiting",
    "follow_deleted",
    "follow_indexed",
    "is_candidate",
    "is_sampled",
    "note_modalities",
    "redeciding_progress",
    "reread",
    "reread_progress",
    "start_redeciding",
]


def _terms() -> list[Term]:
    from treegarth.features.dose.registry.condition_terms import condition_terms

    return condition_terms(study.c.orthanc_study_id)


def _routes(house: House, services: Services) -> list[Route]:
    from treegarth.features.dose.registry import api, pages

    return [*api.routes(), *pages.routes()]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.dose.registry.tasks import blueprint

    followers = [one.follow_dose_read for one in house.features if one.follow_dose_read is not None]
    return [blueprint(work.context, followers)]


def _checks() -> list[HealthCheck]:
    from treegarth.features.dose.registry.pages import health_check

    return [health_check]


def _study_sections(house: House) -> list[StudySection]:
    from treegarth.features.dose.registry.pages import study_section

    return [study_section]


def _system_sections() -> list[PageSection]:
    from treegarth.features.dose.registry.pages import system_section

    return [system_section]


def _kept_studies() -> list[StudyAddress]:
    from treegarth.features.dose.registry.pages import kept_study_address

    return [kept_study_address]


def _measures() -> list[Measure]:
    from treegarth.features.dose.registry.store.measures import measure

    return [measure]


FEATURE = Feature(
    name="dose",
    terms=_terms,
    routes=_routes,
    tasks=_tasks,
    checks=_checks,
    study_sections=_study_sections,
    system_sections=_system_sections,
    kept_studies=_kept_studies,
    measures=_measures,
)
