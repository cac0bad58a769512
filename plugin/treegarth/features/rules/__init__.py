"""Rules: a condition, a trigger, actions; tried before they act, kept with their history, handled once an event."""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import random
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, FollowDoseRead, FollowStable, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.action import Action
    from treegarth.conditions.vocabulary import Term
    from treegarth.documents.language import Documents
    from treegarth.features.rules.service import RuleBook
    from treegarth.index.follower import IndexFollower
    from treegarth.tasks.app import TaskHints
    from treegarth.web.listing import Listing
    from treegarth.web.metrics import Measure
    from treegarth.web.parts import HealthCheck
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction
    from treegarth.work.kinds import Carry, WorkKind

__all__ = ["FEATURE"]


def _book(house: House) -> RuleBook:
    from treegarth.features.rules.actions import Actions
    from treegarth.features.rules.service import RuleBook
    from treegarth.features.rules.text import Language

    return RuleBook(Language(vocabulary=house.vocabulary(), actions=Actions(house.actions())))


def _terms() -> list[Term]:
    from treegarth.features.rules.condition_terms import condition_terms
    from treegarth.index.tables import study

    return condition_terms(study.c.orthanc_study_id)


def _actions(house: House) -> list[Action[Any]]:
    from treegarth.features.rules.label_action import LabelAction
    from treegarth.features.rules.notify_action import NotifyAction

    settings = house.settings
    names = [one.name for one in settings.webhooks]
    return [LabelAction(), NotifyAction(webhooks=names, has_mail=settings.mail is not None)]


def _parts(house: House) -> list[object]:
    from treegarth.features.rules.pages.parts import RulePages

    book = _book(house)
    return [book, RulePages(book, house.lent.destination_names, [one.name for one in house.settings.webhooks])]


def _routes() -> list[Route]:
    from treegarth.features.rules import api, pages

    return [*api.routes(), *pages.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.rules.events import EVENTS
    from treegarth.features.rules.notices import MESSAGES, NOTICES
    from treegarth.features.rules.outcomes import OUTCOMES

    return [NOTICES, MESSAGES, EVENTS, OUTCOMES]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.rules.api.rules import RULE_DOCUMENTS

    return [RULE_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.rules.row_actions import LABEL, RETRY, SEEN, TELL_AGAIN

    return [LABEL, SEEN, TELL_AGAIN, RETRY]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.rules.notification import Notifier, notification_blueprint
    from treegarth.features.rules.tasks import blueprint

    return [
        blueprint(work.context, _book(house), work.zone, lambda: house.lent.announce_deliveries(work.hints)),
        notification_blueprint(work.context, Notifier(house.settings, os.environ), random),
    ]


def _works() -> list[WorkKind]:
    from treegarth.features.rules.service.application import APPLYING

    return [APPLYING]


def _carries(house: House, work: Work) -> Mapping[str, Carry]:
    from treegarth.features.rules.service.application import carries
    from treegarth.features.rules.tasks import HANDLE

    return carries(_book(house), lambda: work.hints.announce(HANDLE))


def _follower(hints: TaskHints) -> IndexFollower:
    from treegarth.features.rules.followers import LabelFollower

    return LabelFollower()


def _task_after_rest() -> str:
    from treegarth.features.rules.tasks import HANDLE

    return HANDLE


def _follow_stable() -> FollowStable:
    from treegarth.features.rules.followers import follow_stable

    return follow_stable


def _follow_dose_read() -> FollowDoseRead:
    from treegarth.features.rules.followers import follow_dose_read

    return follow_dose_read


def _checks() -> list[HealthCheck]:
    from treegarth.features.rules.pages import health_check

    return [health_check]


def _measures() -> list[Measure]:
    from treegarth.features.rules.store.measures import measure

    return [measure]


FEATURE = Feature(
    name="rules",
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
    checks=_checks,
    measures=_measures,
    follower=_follower,
    follow_stable=_follow_stable,
    task_after_rest=_task_after_rest,
    follow_dose_read=_follow_dose_read,
)
