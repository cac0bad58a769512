"""Radiation dose: readers of every source, the registry of what was read, and what the rest of the house asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, FollowStable, House, ReadAgain, Work

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
    from treegarth.features.dose.alerts import api as alerts_api
    from treegarth.features.dose.alerts import pages as alerts_pages
    from treegarth.features.dose.analysis import pages as analysis_pages
    from treegarth.features.dose.analysis import workbook, yearly
    from treegarth.features.dose.analysis.api import coefficients
    from treegarth.features.dose.analysis.api import figures as figures_api
    from treegarth.features.dose.analysis.api import physicians as physicians_api
    from treegarth.features.dose.analysis.charts import documents as charts_api
    from treegarth.features.dose.analysis.charts import pages as charts_pages
    from treegarth.features.dose.analysis.levels import api as levels_api
    from treegarth.features.dose.analysis.levels import form_pages as levels_form_pages
    from treegarth.features.dose.analysis.levels import pages as levels_pages
    from treegarth.features.dose.analysis.names import api as names_api
    from treegarth.features.dose.analysis.names import pages as names_pages
    from treegarth.features.dose.analysis.pages import coefficients as coefficients_page
    from treegarth.features.dose.analysis.size import api as ssde_api
    from treegarth.features.dose.analysis.size import pages as ssde_pages
    from treegarth.features.dose.registry import api, pages

    of_doses = (
        api,
        pages,
        ssde_pages,
        ssde_api,
        levels_api,
        levels_pages,
        levels_form_pages,
        analysis_pages,
        figures_api,
        physicians_api,
    )
    of_alerts = (alerts_api, alerts_pages)
    of_charts = (charts_api, charts_pages)
    parts = (
        *of_doses,
        *of_charts,
        *of_alerts,
        coefficients,
        coefficients_page,
        names_api,
        names_pages,
        yearly,
        workbook,
    )
    return [route for part in parts for route in part.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.dose.alerts.pages.alerts import ALERTS
    from treegarth.features.dose.analysis.names.lists import NAMES, RAW_NAMES
    from treegarth.features.dose.analysis.pages.derived import DERIVED_DOSES
    from treegarth.features.dose.analysis.size.pages import SSDE
    from treegarth.features.dose.registry.pages.acts import ACTS
    from treegarth.features.dose.registry.pages.doses import DOSES
    from treegarth.features.dose.registry.pages.equipment import EQUIPMENT
    from treegarth.features.dose.registry.pages.events import EVENTS
    from treegarth.features.dose.registry.pages.missing_dose import MISSING
    from treegarth.features.dose.registry.pages.redecision import CHANGES
    from treegarth.features.dose.registry.pages.sizes import SIZE_FILES, SIZE_LINES
    from treegarth.features.dose.registry.pages.sources import SOURCES

    lists: list[Listing[Any, Any]] = [DOSES, EVENTS, EQUIPMENT, MISSING, SOURCES, CHANGES, ACTS, SIZE_FILES, SIZE_LINES]
    return [*lists, SSDE, DERIVED_DOSES, NAMES, RAW_NAMES, ALERTS]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.dose.alerts.api import LEVEL_DOCUMENTS
    from treegarth.features.dose.analysis.api.coefficients import COEFFICIENT_DOCUMENTS
    from treegarth.features.dose.analysis.charts.documents import CHART_DOCUMENTS
    from treegarth.features.dose.analysis.levels.documents import SET_DOCUMENTS
    from treegarth.features.dose.analysis.names.api import NAME_DOCUMENTS
    from treegarth.features.dose.registry.api.limits import LIMIT_DOCUMENTS
    from treegarth.features.dose.registry.api.not_patients import NOT_PATIENT_DOCUMENTS

    of_analysis: list[Documents[Any]] = [COEFFICIENT_DOCUMENTS, SET_DOCUMENTS, NAME_DOCUMENTS, CHART_DOCUMENTS]
    return [NOT_PATIENT_DOCUMENTS, LIMIT_DOCUMENTS, *of_analysis, LEVEL_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.dose.registry.row_actions import MARK, READ_AGAIN, READ_STUDIES

    return [READ_AGAIN, READ_STUDIES, MARK]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.dose.alerts.tasks import blueprint as alerts_blueprint
    from treegarth.features.dose.alerts.telling import Telling
    from treegarth.features.dose.analysis.size.tasks import blueprint as measuring
    from treegarth.features.dose.analysis.tasks import blueprint as counting
    from treegarth.features.dose.registry.tasks import blueprint

    followers = [one.follow_dose_read() for one in house.features if one.follow_dose_read is not None]
    telling = Telling(tell=house.lent.tell, settle=house.lent.settle)
    return [
        blueprint(work.context, followers),
        measuring(work.context),
        counting(work.context),
        alerts_blueprint(work.context, telling),
    ]


def _works() -> list[WorkKind]:
    from treegarth.features.dose.analysis.size.works import MEASURING
    from treegarth.features.dose.analysis.workbook.works import MAKING
    from treegarth.features.dose.analysis.yearly.works import REPORTING
    from treegarth.features.dose.registry.works import REDECIDING, REREADING, SIZES

    return [REDECIDING, REREADING, SIZES, MEASURING, REPORTING, MAKING]


def _carries(house: House, work: Work) -> Mapping[str, Carry]:
    from treegarth.features.dose.analysis.size.tasks import MEASURE
    from treegarth.features.dose.analysis.size.works import carries as measuring
    from treegarth.features.dose.analysis.workbook.works import MAKING
    from treegarth.features.dose.analysis.workbook.works import carry as making
    from treegarth.features.dose.analysis.yearly.works import REPORTING, carry
    from treegarth.features.dose.registry.works import carries
    from treegarth.host.children import project_root

    engine, zone, clock = work.context.engine, work.zone, work.context.clock
    files = {
        REPORTING.name: carry(engine, zone, clock, project_root() / "web"),
        MAKING.name: making(engine, zone, clock),
    }
    return {**carries(), **measuring(lambda: work.hints.announce(MEASURE)), **files}


def _follow_stable() -> FollowStable:
    from treegarth.features.dose.analysis.size.follower import follow_stable

    return follow_stable


def _task_after_rest() -> str:
    from treegarth.features.dose.analysis.size.tasks import MEASURE

    return MEASURE


def _follower(hints: TaskHints) -> IndexFollower:
    from treegarth.features.dose.registry.follower import DoseFollower

    return DoseFollower(hints)


def _read_again() -> ReadAgain:
    from treegarth.features.dose.registry.service import read_series_again

    return read_series_again


def _checks() -> list[HealthCheck]:
    from treegarth.features.dose.alerts.pages.alerts import health_check as alerts_check
    from treegarth.features.dose.analysis.size.pages import health_check as ssde_check
    from treegarth.features.dose.registry.pages import health_check

    return [health_check, ssde_check, alerts_check]


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
    from treegarth.features.dose.alerts.store.measures import measure as measure_alerts
    from treegarth.features.dose.registry.store.measures import measure

    return [measure, measure_alerts]


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
    follow_stable=_follow_stable,
    task_after_rest=_task_after_rest,
    checks=_checks,
    study_sections=_study_sections,
    panel_sections=_panel_sections,
    study_notes=_study_notes,
    system_sections=_system_sections,
    kept_studies=_kept_studies,
    measures=_measures,
)
