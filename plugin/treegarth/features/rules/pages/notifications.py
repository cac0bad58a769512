"""What rules told the dashboard and others, and what rules have not looked at: lists, seen, try again."""

from __future__ import annotations

from flask import Response

from treegarth.documents.language import author_of
from treegarth.errors import DatabaseUnavailable, NotFound
from treegarth.features.rules.store.events import count_events, retry_failed
from treegarth.features.rules.store.shown import count_not_sent, count_unseen, mark_seen, send_again
from treegarth.phrases import N_, NN_, P_
from treegarth.web.actors import Permission
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


def routes() -> list[Route]:
    return [
        route(
            name="rules.bell_page",
            path="/treegarth/notifications/bell",
            permission=Permission.VIEW,
            handler=bell_page,
            summary="How many notices nobody has seen, for the bell of every page.",
        ),
        route(
            name="rules.seen_page",
            path="/treegarth/notifications/seen",
            method="POST",
            permission=Permission.VIEW,
            handler=seen,
            summary="Mark one notice, or every one, as seen.",
        ),
        route(
            name="rules.tell_again_page",
            path="/treegarth/notifications/again",
            method="POST",
            permission=Permission.OPERATE,
            handler=tell_again,
            summary="Try again to send one notice, or every one, that was given up.",
        ),
        route(
            name="rules.retry_event_page",
            path="/treegarth/rules/waiting/retry",
            method="POST",
            permission=Permission.OPERATE,
            handler=retry_events,
            summary="Let rules look again at one study, or at every one, that they could not handle.",
        ),
    ]


def bell_page(call: Call[None, None, None]) -> Response:
    """A part of a page; without the database the bell says nothing."""
    try:
        with call.connect() as connection:
            unseen = count_unseen(connection)
    except DatabaseUnavailable:
        unseen = 0
    return Response(str(render_part(call, "rules/bell.html", unseen=unseen)), mimetype="text/html")


def seen(call: Call[None, NoticeBody, None]) -> Response:
    with call.begin() as connection:
        mark_seen(connection, call.actor.name, author_of(call).now, call.body.ids)
    return _to(call, "rules.notifications_page")


def tell_again(call: Call[None, NoticeBody, None]) -> Response:
    with call.begin() as connection:
        if not send_again(connection, author_of(call).now, call.body.ids) and call.body.id is not None:
            raise NotFound(N_("There is no notice with this number that was given up."))
    return _to(call, "rules.notifications_page")


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
                url=call.site.url("rules.notifications_page", state="given up"),
                advice=P_("See the reason, then send it again."),
            )
        )
    if not found and counts["waiting"]:
        words = NN_("%(num)s study waits", "%(num)s studies wait")
        found.append(Check(kind="waiting", name=name, words=words, count=counts["waiting"]))
    return found or [Check(kind="ok", name=name, words=P_("nothing waits"))]


def _to(call: AnyCall, name: str) -> Response:
    return see_other(call, call.site.url(name))
