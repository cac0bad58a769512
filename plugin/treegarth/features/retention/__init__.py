"""Retention: what must be kept, what may be pruned and on which proof, and what became of everything that left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.action import Action
    from treegarth.conditions.vocabulary import Term
    from treegarth.index.follower import IndexFollower
    from treegarth.tasks.app import TaskHints
    from treegarth.web.parts import StudySection
    from treegarth.web.routes import Route
    from treegarth.web.services import Services

__all__ = ["FEATURE"]


def _terms() -> list[Term]:
    from treegarth.features.retention.condition_terms import condition_terms
    from treegarth.index.tables import study

    return condition_terms(study.c.orthanc_study_id)


def _actions(house: House) -> list[Action[Any]]:
    from treegarth.features.retention.hold_actions import HoldAction, ReleaseAction

    return [HoldAction(), ReleaseAction()]


def _routes(house: House, services: Services) -> list[Route]:
    from treegarth.features.retention import api, pages
    from treegarth.features.retention.service import Desk

    desk = Desk(
        services=services,
        vocabulary=house.vocabulary,
        read_texts=house.lent.read_texts,
        write_text=house.lent.write_text,
    )
    return [*api.routes(desk), *pages.routes(desk)]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.retention.tasks import blueprint

    return [blueprint(work.sending, house.vocabulary, house.lent.copies(work), work.zone)]


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
    routes=_routes,
    tasks=_tasks,
    follower=_follower,
    study_sections=_study_sections,
)
