"""Radiation dose: readers of every source, the registry of what was read, and what the rest of the house asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, ReadAgain, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.vocabulary import Term
    from treegarth.documents.language import Documents
    from treegarth.index.follower import IndexFollower
    from treegarth.tasks.app import TaskHints
    from treegarth.web.listing import Listing
    from treegarth.web.metrics import Measure
    from treegarth.web.parts import HealthCheck, PageSection, StudyAddress, StudyNotes, StudySection
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction
    from treegarth.work.kinds import Carry, WorkKind

__all__ = ["FEATURE"]


def _terms() -> list[Term]:
    from treegarth.features.dose.registry.condition_terms import condition_terms
    from treegarth.index.tables import study

    return condition_terms(study.c.orthanc_study_id)


def _routes() -> list[Route]:
    from treegarth.features.dose.registry import api, pages

    return [*api.routes(), *pages.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.dose.registry.pages.acts import ACTS
    from treegarth.features.dose.registry.pages.doses import DOSES
    from treegarth.features.dose.registry.pages.equipment import EQUIPMENT
    from treegarth.features.dose.registry.pages.events import EVENTS
    from treegarth.features.dose.registry.pages.missing_dose import MISSING
    from treegarth.features.dose.registry.pages.redecision import CHANGES
    from treegarth.features.dose.registry.pages.sources import SOURCES

    return [DOSES, EVENTS, EQUIPMENT, MISSING, SOURCES, CHANGES, ACTS]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.dose.registry.api.limits import LIMIT_DOCUMENTS
    from treegarth.features.dose.registry.api.not_patients import NOT_PATIENT_DOCUMENTS

    return [NOT_PATIENT_DOCUMENTS, LIMIT_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.dose.registry.row_actions import MARK, READ_AGAIN, READ_STUDIES

    return [READ_AGAIN, READ_STUDIES, MARK]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.dose.registry.tasks import blueprint

    followers = [one.follow_dose_read() for one in house.features if one.follow_dose_read is not None]
    return [blueprint(work.context, followers)]


def _works() -> list[WorkKind]:
    from treegarth.features.dose.registry.works import REDECIDING, REREADING

    return [REDECIDING, REREADING]


def _carries(house: House, work: Work) -> Mapping[str, Carry]:
    from treegarth.features.dose.registry.works import carries

    return carries()


def _follower(hints: TaskHints) -> IndexFollower:
    from treegarth.features.dose.registry.follower import DoseFollower

    return DoseFollower(hints)


def _read_again() -> ReadAgain:
    from treegarth.features.dose.registry.service import read_series_again

    return read_series_again


def _checks() -> list[HealthCheck]:
    from treegarth.features.dose.registry.pages import health_check

    return [health_check]


def _study_sections(house: House) -> list[StudySection]:
    from treegarth.features.dose.registry.pages import study_section

    return [study_section]


def _panel_sections() -> list[StudySection]:
    from treegarth.features.dose.registry.pages import panel_section

    return [panel_section]


def _study_notes() -> list[StudyNotes]:
    from treegarth.features.dose.registry.pages import study_notes

    return [study_notes]


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
    listings=_listings,
    documents=_documents,
    row_actions=_row_actions,
    tasks=_tasks,
    works=_works,
    carries=_carries,
    follower=_follower,
    read_again=_read_again,
    checks=_checks,
    study_sections=_study_sections,
    panel_sections=_panel_sections,
    study_notes=_study_notes,
    system_sections=_system_sections,
    kept_studies=_kept_studies,
    measures=_measures,
)
