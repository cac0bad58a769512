"""What rules do, over HTTP: apply one by hand, how far that is, try again what failed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from treegarth.errors import NotFound
from treegarth.features.rules.api.parts import rule_route
from treegarth.features.rules.paths import EventPath, RulePath
from treegarth.features.rules.requests import rule_at
from treegarth.features.rules.service import apply_by_hand, apply_to_archive
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.store.applications import Application, latest_application
from treegarth.features.rules.store.events import WAITING, count_events, retry_failed
from treegarth.features.rules.store.rules import stop_applying
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import Retried
from treegarth.web.routes import Answer, Route
from treegarth.web.which_study import OfStudy


class ApplyBody(OfStudy):
    """What to apply a rule to: one study, or without a UID every study of the archive that the rule means."""


class ApplicationState(Answer):
    """The rule's latest application to the archive."""

    application: Application | None
    """Null where it never was applied."""
    waiting: int
    """Studies of this rule that were noted and not handled yet."""


def application(call: Call[None, None, RulePath]) -> ApplicationState:
    with call.connect() as connection:
        rule_at(call, connection, call.path.rule_id)
        return _state(connection, call.path.rule_id)


def apply(call: Call[None, ApplyBody, RulePath]) -> ApplicationState:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    book = call.part(RuleBook)
    vocabulary, by, now = book.language.vocabulary, call.actor.name, call.services.clock()
    with call.begin() as connection:
        acting = rule_at(call, connection, call.path.rule_id)
        if call.body.study_instance_uid is not None:
            uid, key = call.body.study_instance_uid, call.body.orthanc_study_id
            apply_by_hand(connection, acting, uid, key, by=by, now=now)
        else:
            apply_to_archive(connection, vocabulary, acting, by=by, now=now)
        return _state(connection, call.path.rule_id)


def stop(call: Call[None, None, RulePath]) -> ApplicationState:
    with call.begin() as connection:
        rule_at(call, connection, call.path.rule_id)
        stop_applying(connection, call.path.rule_id, by=call.actor.name, now=call.services.clock())
        return _state(connection, call.path.rule_id)


def retry(call: Call[None, None, EventPath]) -> Retried:
    with call.begin() as connection:
        count = retry_failed(connection, call.services.clock(), [call.path.event_id])
    if count == 0:
        raise NotFound(P_("There is no failed event with this number."))
    return Retried(retried=count)


def retry_all(call: Call[None, None, None]) -> Retried:
    with call.begin() as connection:
        return Retried(retried=retry_failed(connection, call.services.clock()))


def _state(connection: Connection, rule_id: int) -> ApplicationState:
    found = latest_application(connection, rule_id)
    return ApplicationState(
        application=None if found is None else found,
        waiting=count_events(connection, applied_rule_id=rule_id)[WAITING],
    )


def routes() -> list[Route]:
    """The endpoints about what rules do."""
    act: dict[str, Any] = {"method": "POST", "permission": Permission.OPERATE}
    return [
        rule_route(
            "rule_application",
            "rules/{rule_id}/apply",
            application,
            "How far the rule's latest application to the archive is.",
            problems=(404, 503),
        ),
        rule_route(
            "apply_rule",
            "rules/{rule_id}/apply",
            apply,
            "Apply a rule that is on to the archive, or to one study.",
            status=202,
            problems=(400, 404, 409, 503),
            **act,
        ),
        rule_route(
            "stop_applying_rule",
            "rules/{rule_id}/apply/stop",
            stop,
            "End the rule's application; what was done stays done.",
            problems=(404, 503),
            **act,
        ),
        rule_route(
            "retry_rule_event",
            "rule-events/{event_id}/retry",
            retry,
            "Let a failed event be handled once more.",
            problems=(404, 503),
            **act,
        ),
        rule_route(
            "retry_rule_events",
            "rule-events/retry",
            retry_all,
            "Let every failed event be handled once more.",
            **act,
        ),
    ]
