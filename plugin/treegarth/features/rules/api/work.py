"""What rules do, over HTTP: apply one to the archive, have it look at one study, try again what failed."""

from __future__ import annotations

from typing import Any

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.rules.api.parts import rule_route
from treegarth.features.rules.paths import EventPath, RulePath
from treegarth.features.rules.requests import rule_at
from treegarth.features.rules.service.application import apply_by_hand, apply_to_archive
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.store.events import retry_failed
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.endpoints import Retried
from treegarth.web.routes import Answer, Route, Text
from treegarth.web.which_study import WhichStudy
from treegarth.work.store import LongWork


class LookBody(WhichStudy):
    """The study that a rule is to look at."""

    study_instance_uid: Text
    """(0020,000D)"""


class Noted(Answer):
    """The study that the rule looks at next."""

    study_instance_uid: str
    orthanc_study_id: str


def apply(call: Call[None, None, RulePath]) -> LongWork:
    vocabulary = call.part(RuleBook).language.vocabulary
    with call.begin() as connection:
        acting = rule_at(call, connection, call.path.rule_id)
        by, now = call.actor.name, call.services.clock()
        return apply_to_archive(connection, vocabulary, acting, by=by, now=now, is_asked=True)


def look(call: Call[None, LookBody, RulePath]) -> Noted:
    body = call.body
    with call.begin() as connection:
        acting = rule_at(call, connection, call.path.rule_id)
        by, now = call.actor.name, call.services.clock()
        study = apply_by_hand(connection, acting, body.study_instance_uid, body.orthanc_study_id, by=by, now=now)
    return Noted(study_instance_uid=study.study_instance_uid, orthanc_study_id=study.orthanc_study_id)


def retry(call: Call[None, None, EventPath]) -> Retried:
    with call.begin() as connection:
        count = retry_failed(connection, call.services.clock(), [call.path.event_id])
    if count == 0:
        raise NotFound(P_("There is no failed event with this number."))
    return Retried(retried=count)


def retry_all(call: Call[None, None, None]) -> Retried:
    with call.begin() as connection:
        return Retried(retried=retry_failed(connection, call.services.clock()))


def routes() -> list[Route]:
    """The endpoints about what rules do."""
    act: dict[str, Any] = {"method": "POST", "permission": Permission.RUN_RULES}
    return [
        rule_route(
            "apply_rule",
            "rules/{rule_id}/apply",
            apply,
            "Apply a rule that is on to every study of the archive that it means; one that runs goes on.",
            status=202,
            problems=(404, 409, 503),
            **act,
        ),
        rule_route(
            "look_by_rule",
            "rules/{rule_id}/look",
            look,
            "Have a rule that is on look at one study.",
            status=202,
            problems=(400, 404, 409, 503),
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
