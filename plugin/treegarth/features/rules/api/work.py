"""What rules do, over HTTP: apply one by hand, how far that is, what was done, what failed."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from treegarth.errors import NotFound
from treegarth.features.rules.api.parts import rule_route
from treegarth.features.rules.paths import EventPath, RulePath
from treegarth.features.rules.requests import rule_at
from treegarth.features.rules.service import apply_by_hand, apply_to_archive, stop_applying
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.store.applications import Application, latest_application
from treegarth.features.rules.store.events import WAITING, FailedEvent, count_events, list_failed, retry_failed
from treegarth.features.rules.store.outcomes import Outcome, list_outcomes
from treegarth.features.rules.tables import rule_outcome
from treegarth.index.studies import asked_study
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import Retried
from treegarth.web.routes import Answer, Identifier, LongIdentifier, Route
from treegarth.web.which_study import OfStudy


class ApplyBody(OfStudy):
    """What to apply a rule to: one study, or without a UID every study of the archive that the rule means."""


class ApplicationState(Answer):
    """The rule's latest application to the archive."""

    application: Application | None
    """Null where it never was applied."""
    waiting: int
    """Studies of this rule that were noted and not handled yet."""


class OutcomesQuery(OfStudy):
    """Which outcomes."""

    rule_id: Identifier | None = None
    before: LongIdentifier | None = None
    """`next` of the page before."""
    limit: int = Field(default=50, ge=1, le=1000)


class OutcomeList(Answer):
    """What rules did, the latest first."""

    items: list[Outcome]
    next: int | None


class EventList(Answer):
    """The events that need a person, and how many wait."""

    waiting: int
    failed: int
    items: list[FailedEvent]
    """The latest, at most 200."""


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


def outcomes(call: Call[OutcomesQuery, None, None]) -> OutcomeList:
    query = call.query
    with call.connect() as connection:
        found = list_outcomes(
            connection,
            rule_id=query.rule_id,
            study=asked_study(connection, query.study_instance_uid, query.orthanc_study_id, kept=[rule_outcome]),
            before=query.before,
            limit=query.limit,
        )
    items = [Outcome.model_validate({name: getattr(one, name) for name in Outcome.model_fields}) for one in found]
    return OutcomeList(items=items, next=found[-1].id if len(found) == query.limit else None)


def events(call: Call[None, None, None]) -> EventList:
    with call.connect() as connection:
        counts, failed = count_events(connection), list_failed(connection)
    items = list(failed)
    return EventList(waiting=counts[WAITING], failed=counts["failed"], items=items)


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
            "rule_outcomes",
            "rule-outcomes",
            outcomes,
            "What rules did, the latest first.",
            problems=(409, 503),
        ),
        rule_route(
            "rule_events",
            "rule-events",
            events,
            "What rules could not handle, and how much waits.",
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
