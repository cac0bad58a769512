"""What rules told the dashboard and others, and what rules have not looked at: lists, seen, try again."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.audit.model import NotAudited
from treegarth.documents.language import author_of
from treegarth.errors import DatabaseUnavailable, NotFound
from treegarth.features.rules.notices import NOTICES, NoticesAsked
from treegarth.features.rules.store.events import count_events, retry_failed
from treegarth.features.rules.store.notices import COUNTED, count_new, mark_seen
from treegarth.features.rules.store.shown import count_not_sent, read_notice, send_again
from treegarth.index.studies import StudyKey, told_apart
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import Check, render_part
from treegarth.web.routes import LongIdentifier, Parameters, Route
from treegarth.web.told import see_other


class NoticeBody(Parameters):
    """Which one."""

    id: LongIdentifier | None = None
    """The notice's or the event's number; every one if not given."""

    @property
    def ids(self) -> list[int] | None:
        return None if self.id is None else [self.id]


class SeenBody(NoticesAsked):
    """What was seen."""

    id: LongIdentifier | None = None
    """The notice's number, for all that was told of its study; all that the filters leave if not given."""


class WhichNotice(Parameters):
    """Which one."""

    id: LongIdentifier | None = None
    """The notice's number; the list of all if not given."""


def routes() -> list[Route]:
    return [
        route(
            name="rules.bell_page",
            audit=NotAudited(reason="Every page asks for it by itself, each minute."),
            path="/treegarth/notifications/bell",
            permission=Permission.SEE_STUDIES,
            handler=bell_page,
            summary="How many notices nobody has seen, for the bell of every page.",
        ),
        route(
            name="rules.seen_page",
            path="/treegarth/notifications/seen",
            method="POST",
            permission=Permission.SEE_STUDIES,
            handler=seen,
            summary="Mark what was told of one study, or of all that the filters leave, as seen.",
        ),
        route(
            name="rules.open_notice_page",
            path="/treegarth/notifications/open",
            permission=Permission.SEE_STUDIES,
            handler=open_notice,
            summary="The study that a notice is about; what was told of it is seen then.",
        ),
        route(
            name="rules.tell_again_page",
            path="/treegarth/notifications/again",
            method="POST",
            permission=Permission.ANNOTATE,
            handler=tell_again,
            summary="Try again to send one notice, or every one, that was given up.",
        ),
        route(
            name="rules.retry_event_page",
            path="/treegarth/rules/waiting/retry",
            method="POST",
            permission=Permission.ANNOTATE,
            handler=retry_events,
            summary="Let rules look again at one study, or at every one, that they could not handle.",
        ),
    ]


def bell_page(call: Call[None, None, None]) -> Response:
    """A part of a page; without the database the bell says nothing."""
    try:
        with call.connect() as connection:
            unseen = count_new(connection)
    except DatabaseUnavailable:
        unseen = 0
    return Response(str(render_part(call, "rules/bell.html", unseen=unseen, counted=COUNTED)), mimetype="text/html")


def open_notice(call: Call[WhichNotice, None, None]) -> Response:
    """Whoever looks at the study has seen what was told of it."""
    if call.query.id is None:
        return _to(call, "rules.notifications_page")
    with call.begin() as connection:
        notice = read_notice(connection, call.query.id)
        mark_seen(connection, call.actor.name, author_of(call).now, [notice.id])
        study = StudyKey(
            orthanc_study_id=notice.orthanc_study_id or "", study_instance_uid=notice.study_instance_uid or ""
        )
        which = told_apart(connection, [study])(study)
    if not study.study_instance_uid:
        return _to(call, "rules.notifications_page")
    url = call.site.url("archive.study_page", study_instance_uid=study.study_instance_uid, orthanc_study_id=which)
    return see_other(call, url)


def seen(call: Call[None, SeenBody, None]) -> Response:
    """One study's, or all that the filters of the page leave."""
    body = call.body
    with call.begin() as connection:
        chosen = [body.id] if body.id is not None else NOTICES.query(call.asker, connection, body)
        mark_seen(connection, call.actor.name, author_of(call).now, chosen)
    asked = body.model_dump(mode="json", exclude={"id"}, exclude_none=True)
    return see_other(call, call.site.url("rules.notifications_page", **asked))


def tell_again(call: Call[None, NoticeBody, None]) -> Response:
    with call.begin() as connection:
        if not send_again(connection, author_of(call).now, call.body.ids) and call.body.id is not None:
            raise NotFound(N_("There is no notice with this number that was given up."))
    return _to(call, "rules.messages_page")


def retry_events(call: Call[None, NoticeBody, None]) -> Response:
    with call.begin() as connection:
        if not retry_failed(connection, author_of(call).now, call.body.ids) and call.body.id is not None:
            raise NotFound(N_("There is no failed event with this number."))
    return _to(call, "rules.events_page")


def health_check(call: AnyCall) -> list[Check]:
    """What rules lend to health: events that failed, notices that could not be sent."""
    name = P_("Rules")
    try:
        with call.connect() as connection:
            counts = count_events(connection)
            not_sent = count_not_sent(connection)
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=P_("unknown without the database"))]
    found = []
    if counts["failed"]:
        found.append(
            Check(
                kind="attention",
                name=name,
                words=NN_("%(num)s study could not be handled", "%(num)s studies could not be handled"),
                count=counts["failed"],
                url=call.site.url("rules.events_page", state="failed"),
                advice=P_("See the reason, then let the rules look again."),
            )
        )
    if not_sent:
        found.append(
            Check(
                kind="attention",
                name=P_("Notifications"),
                words=NN_("%(num)s could not be sent", "%(num)s could not be sent"),
                count=not_sent,
                url=call.site.url("rules.messages_page", state="given up"),
                advice=P_("See the reason, then send it again."),
            )
        )
    if not found and counts["waiting"]:
        words = NN_("%(num)s study waits", "%(num)s studies wait")
        found.append(Check(kind="waiting", name=name, words=words, count=counts["waiting"]))
    return found or [Check(kind="ok", name=name, words=P_("nothing waits"))]


def _to(call: AnyCall, name: str) -> Response:
    return see_other(call, call.site.url(name))
