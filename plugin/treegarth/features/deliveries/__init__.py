"""Destinations, and the ledger of what is sent to them and proved to have arrived."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.action import Action
    from treegarth.conditions.vocabulary import Term
    from treegarth.documents.language import Documents
    from treegarth.web.listing import Listing
    from treegarth.web.metrics import Measure
    from treegarth.web.parts import HealthCheck, PageSection, StudySection
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction

__all__ = ["FEATURE"]


def _terms() -> list[Term]:
    from treegarth.features.deliveries.condition_terms import condition_terms
    from treegarth.index.tables import study

    return condition_terms(study.c.orthanc_study_id)


def _actions(house: House) -> list[Action[Any]]:
    from treegarth.features.deliveries.deliver_action import DeliverAction

    return [DeliverAction(house.vocabulary(), house.lent.dose_objects)]


def _parts(house: House) -> list[object]:
    from treegarth.outgoing.gate import Gate

    return [Gate(places=house.settings.destination_places, environment=os.environ)]


def _routes() -> list[Route]:
    from treegarth.features.deliveries import api, destinations_api, pages

    return [
        *pages.routes(),
        *destinations_api.routes(),
        *api.routes(),
    ]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.deliveries.deliveries import DELIVERIES
    from treegarth.features.deliveries.objects import OBJECTS

    return [DELIVERIES, OBJECTS]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.deliveries.destinations_api import DESTINATION_DOCUMENTS

    return [DESTINATION_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.deliveries.row_actions import SEND, SEND_AGAIN

    return [SEND, SEND_AGAIN]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.deliveries.tasks import blueprint

    return [blueprint(work.sending, work.zone, work.gate)]


def _checks() -> list[HealthCheck]:
    from treegarth.features.deliveries.pages import health_check

    return [health_check]


def _study_sections(house: House) -> list[StudySection]:
    from treegarth.features.deliveries.pages import study_section

    return [study_section]


def _system_sections() -> list[PageSection]:
    from treegarth.features.deliveries.pages import system_section

    return [system_section]


def _measures() -> list[Measure]:
    from treegarth.features.deliveries.store.measures import measure

    return [measure]


FEATURE = Feature(
    name="deliveries",
    terms=_terms,
    actions=_actions,
    parts=_parts,
    routes=_routes,
    listings=_listings,
    documents=_documents,
    row_actions=_row_actions,
    tasks=_tasks,
    checks=_checks,
    study_sections=_study_sections,
    system_sections=_system_sections,
    measures=_measures,
)
