"""Retention: what must be kept, what may be pruned and on which proof, and what became of everything that left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.action import Action
    from treegarth.conditions.vocabulary import Term
    from treegarth.documents.language import Documents
    from treegarth.index.follower import IndexFollower
    from treegarth.tasks.app import TaskHints
    from treegarth.web.listing import Listing
    from treegarth.web.parts import StudySection
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction
    from treegarth.work.kinds import Carry, WorkKind

__all__ = ["FEATURE"]


def _terms() -> list[Term]:
    from treegarth.features.retention.condition_terms import condition_terms
    from treegarth.index.tables import study

    return condition_terms(study.c.orthanc_study_id)


def _actions(house: House) -> list[Action[Any]]:
    from treegarth.features.retention.hold_actions import HoldAction, ReleaseAction

    return [HoldAction(), ReleaseAction()]


def _parts(house: House) -> list[object]:
    from treegarth.features.retention.service import PolicyLanguage

    lent = house.lent
    return [
        PolicyLanguage(
            vocabulary=house.vocabulary,
            destination_names=lent.destination_names,
            missing_destination=lent.missing_destination,
        )
    ]


def _routes() -> list[Route]:
    from treegarth.features.retention import api, pages

    return [*api.routes(), *pages.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.retention.holds import HOLDS
    from treegarth.features.retention.ledger import ENTRIES, LEDGER
    from treegarth.features.retention.marked import OBJECTS, STUDIES

    return [STUDIES, OBJECTS, HOLDS, LEDGER, ENTRIES]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.retention.policies import POLICY_DOCUMENTS

    return [POLICY_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.retention.row_actions import (
        BRING_BACK,
        BRING_OBJECTS_BACK,
        HOLD,
        RELEASE,
        RESCUE,
        RESCUE_OBJECTS,
    )

    return [HOLD, RELEASE, RESCUE, RESCUE_OBJECTS, BRING_BACK, BRING_OBJECTS_BACK]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.retention.tasks import blueprint

    return [blueprint(work.sending, house.vocabulary, house.lent.copies(work), work.zone)]


def _works() -> list[WorkKind]:
    from treegarth.features.retention.retrieval import BRINGING_BACK

    return [BRINGING_BACK]


def _carries(house: House, work: Work) -> Mapping[str, Carry]:
    from treegarth.features.retention.retrieval import BRINGING_BACK, LEASE, Bringer
    from treegarth.work.kinds import Outside

    where = work.sending
    bringer = Bringer(engine=where.engine, orthanc=where.orthanc, sources=house.lent.copies(work), clock=where.clock)
    return {BRINGING_BACK.name: Outside(act=bringer.bring, lease=LEASE)}


def _follower(hints: TaskHints) -> IndexFollower:
    from treegarth.features.retention.follower import LedgerFollower

    return LedgerFollower()


def _study_sections(house: House) -> list[StudySection]:
    from treegarth.features.retention.pages import study_section

    return [study_section]


FEATURE = Feature(
    name="retention",
    terms=_terms,
    actions=_actions,
    parts=_parts,
    routes=_routes,
    listings=_listings,
    documents=_documents,
    row_actions=_row_actions,
    tasks=_tasks,
    works=_works,
    carries=_carries,
    follower=_follower,
    study_sections=_study_sections,
)
