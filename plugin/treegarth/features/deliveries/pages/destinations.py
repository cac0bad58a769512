"""The pages of destinations: the list, and one with its settings, echo, trouble and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.differences import shown_versions
from treegarth.features.deliveries.addresses import ADDRESSES
from treegarth.features.deliveries.destinations import PROOFS, Destination, address_document
from treegarth.features.deliveries.destinations_api import echo_destination
from treegarth.features.deliveries.kinds import KINDS
from treegarth.features.deliveries.model import NEVER
from treegarth.features.deliveries.next_try import not_before
from treegarth.features.deliveries.pages.destination_editor import ONE, destination_route
from treegarth.features.deliveries.paths import DestinationPath
from treegarth.features.deliveries.refusals import refusals
from treegarth.features.deliveries.store.destinations import (
    DESTINATIONS,
    DestinationFigures,
    list_destinations,
    note_echo,
    read_destination,
    read_figures,
)
from treegarth.features.deliveries.store.gates import read_gates
from treegarth.features.deliveries.store.history import Hour, read_hours
from treegarth.features.deliveries.store.studies import list_unsettled
from treegarth.features.deliveries.windows import DAYS, is_open, opens_at
from treegarth.features.deliveries.words import COLOURS, WORDS, bar
from treegarth.index.studies import told_apart
from treegarth.outgoing.gate import Gate
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.forms import shown_fields
from treegarth.web.parts import State
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

HOURS_SHOWN = 24
MOST_SHOWN = 50
"""Studies of which something waits or was given up; the list of deliveries has all."""


class DestinationQuery(Parameters):
    """How the recent sends are shown."""

    sends: Literal["chart", "table"] = "chart"
    """As chart or as table."""


@dataclass(frozen=True, kw_only=True)
class ShownDestination:
    """A destination in words."""

    one: Destination
    figures: DestinationFigures
    kind: str
    address: str
    state: State
    words: str
    since: datetime | None = None
    refused: tuple[str, ...] = ()  # why the site's settings do not let it be used


def routes() -> list[Route]:
    view, operate = Permission.SEE_SYSTEM, Permission.SEND
    return [
        destination_route("destinations_page", "", destinations_page, "Where objects are sent, and how it goes.", view),
        destination_route(
            "destination_page",
            ONE,
            destination_page,
            "One destination: state, recent sends, trouble, history.",
            view,
        ),
        destination_route(
            "echo_page", f"{ONE}/echo", echo, "Test whether a destination answers.", operate, method="POST"
        ),
    ]


def destinations_page(call: Call[None, None, None]) -> Response:
    services = call.services
    with call.connect() as connection:
        found = list_destinations(connection)
        figures = read_figures(connection, [one.id for one in found], services.clock())
    return render_page(
        call,
        "deliveries/destinations.html",
        destinations=[shown(call, one, figures[one.id]) for one in found],
        words=WORDS,
    )


DESTINATION_STATES: Mapping[str, tuple[State, str]] = {
    "removed": ("removed", N_("removed")),
    "paused": ("paused", N_("paused")),
    "down": ("down", N_("down")),
    "up": ("ok", N_("up")),
    "unknown": ("nothing", N_("nothing was sent yet")),
}


def shown(call: AnyCall, one: Destination, figures: DestinationFigures) -> ShownDestination:
    """The destination with its state in words."""
    services = call.services
    now, zone = services.clock(), services.zone
    state, words, since = _state(one)
    refused = tuple(said.sentence for said in refusals(one.address, services.settings.destination_places))
    if refused and one.state not in ("removed", "paused"):
        state, words, since = "failed", P_("not allowed by the settings"), None
    elif one.state in ("up", "unknown") and not is_open(one.windows, now, zone):
        at = opens_at(one.windows, now, zone).astimezone(zone)
        state, words = "waiting", P_("waits for its hours, from %(at)s", at=f"{at:%m-%d %H:%M}")
    return ShownDestination(
        one=one,
        figures=figures,
        kind=KINDS[one.kind].label,
        address=address_words(one),
        state=state,
        words=words,
        since=since,
        refused=refused,
    )


def _state(one: Destination) -> tuple[State, Phrase, datetime | None]:
    state, words = DESTINATION_STATES[one.state]
    return state, Phrase(words), one.down_since if one.state == "down" else None


def address_words(one: Destination) -> str:
    """Where it is, in a line without secrets."""
    address = address_document(one.address)
    if "ae_title" in address:
        return f"{address['ae_title']} @ {address['host']}:{address['port']}{' TLS' if address.get('tls') else ''}"
    if "bucket" in address:
        return "/".join(
            part for part in (address.get("endpoint_url"), address["bucket"], address.get("prefix")) if part
        )
    return str(address.get("url") or address.get("path") or "")


def destination_page(call: Call[DestinationQuery, None, DestinationPath]) -> Response:
    services, number = call.services, call.path.destination_id
    now = services.clock()
    first = (now.astimezone(services.zone) - timedelta(hours=HOURS_SHOWN - 1)).replace(
        minute=0, second=0, microsecond=0
    )
    with call.connect() as connection:
        one, others = read_destination(connection, number), list_destinations(connection)
        figures = read_figures(connection, [one.id], now)[one.id]
        happened = read_hours(connection, number, first, str(services.zone))
        unsettled = list_unsettled(connection, read_gates(connection, now, services.zone), number, limit=MOST_SHOWN)
        which = told_apart(connection, unsettled)
        versions = DESTINATIONS.history(connection, number)
    hours = [(first + timedelta(hours=index)).astimezone(services.zone) for index in range(HOURS_SHOWN)]
    return render_page(
        call,
        "deliveries/destination.html",
        shown=shown(call, one, figures),
        hours=[(hour, happened.get(hour, Hour())) for hour in reversed(hours)],
        any_sends=bool(happened),
        colours=COLOURS,
        words=WORDS,
        as_table=call.query.sends == "table",
        unsettled=[(line, bar(line.counts)) for line in unsettled],
        next_try=None if (at := not_before(one, others, now, services.zone)) == NEVER else at,
        which=which,
        versions=shown_versions(versions),
        address=_address_rows(one),
        proofs=PROOFS,
        days=DAYS,
    )


def _address_rows(one: Destination) -> list[tuple[str, str]]:
    """Each part of the address that it has: a msgid and the value."""
    address = address_document(one.address)
    fields = shown_fields(ADDRESSES[one.kind])
    return [(shown.label, _said(address[name])) for name, (shown, _) in fields.items() if name in address]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {inner}" for key, inner in value.items())
    return {True: "✓", False: "–"}[value] if isinstance(value, bool) else str(value)


def echo(call: Call[None, None, DestinationPath]) -> Response:
    """Ask it now; the page that follows says what it answered."""
    services, number = call.services, call.path.destination_id
    with call.connect() as connection:
        one = read_destination(connection, number)
    answer = echo_destination(one, services.orthanc, call.part(Gate))
    if answer.answers:
        with call.begin() as connection:
            note_echo(connection, number, can_find=answer.can_find, can_commit=answer.can_commit)
    said = [text for text in (answer.said or answer.reason,) if text]
    page = call.site.url("deliveries.destination_page", destination_id=number)
    if answer.answers:
        return see_other(call, page, P_("It answers."), *said)
    waits = P_("Nothing is lost: what is to go there waits and is tried again.")
    return see_other(call, page, P_("It does not answer."), *said, waits, kind="failed")
