"""What deliveries lend to other pages: a study's section with its sends, and findings about health."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import Response
from markupsafe import Markup

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable
from treegarth.features.deliveries.model import ON_THE_WAY, Standing
from treegarth.features.deliveries.refusals import refusals
from treegarth.features.deliveries.store.archive_index import read_candidates
from treegarth.features.deliveries.store.destinations import (
    DestinationFigures,
    list_destinations,
    present_destination,
    read_figures,
)
from treegarth.features.deliveries.store.gates import read_gates
from treegarth.features.deliveries.store.requests import request_delivery
from treegarth.features.deliveries.store.studies import list_deliveries
from treegarth.features.deliveries.words import WORDS, bar
from treegarth.index.studies import StudyKey, the_study, told_apart
from treegarth.phrases import P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import Check, render_part
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Identifier, Route
from treegarth.web.told import see_other
from treegarth.web.which_study import WhichStudy

DELIVERIES_SHOWN = 100


class SendBody(WhichStudy):
    """Where to send a study."""

    destination: Identifier
    """The destination's number."""


def routes() -> list[Route]:
    return [
        route(
            name="deliveries.send_study_page",
            path="/treegarth/studies/{study_instance_uid}/send",
            method="POST",
            permission=Permission.SEND,
            handler=send_study,
            summary="Send every object of a study to a destination.",
        )
    ]


def study_section(call: AnyCall, study: StudyKey) -> Markup | None:
    """The section of a study's page; None where nothing was sent and there is nowhere to send to."""
    with call.connect() as connection:
        gates = read_gates(connection, call.asker.now, call.asker.zone)
        lines = list_deliveries(connection, gates, study, limit=DELIVERIES_SHOWN)
        destinations = list_destinations(connection)
    if not (lines or destinations):
        return None
    return render_part(
        call,
        "deliveries/section.html",
        study=study,
        deliveries=[(line, bar(line.counts)) for line in lines],
        destinations=[(one.id, one.name) for one in destinations],
    )


def system_section(call: AnyCall) -> Markup:
    """How far the objects for each destination are; nothing where there is none, or the database does not answer."""
    try:
        with call.connect() as connection:
            destinations = list_destinations(connection)
            figures = read_figures(connection, [one.id for one in destinations], call.services.clock())
    except DatabaseUnavailable:
        return Markup("")
    if not destinations:
        return Markup("")
    rows = [(one, figures[one.id].counts) for one in destinations]
    return render_part(call, "deliveries/system.html", rows=rows, sums=_sums(figures.values()), words=WORDS)


def send_study(call: Call[None, SendBody, StudyPath]) -> Response:
    """All that the index has of it; what was confirmed there is not sent again."""
    services, uid = call.services, call.path.study_instance_uid
    with call.begin() as connection:
        destination = present_destination(connection, call.body.destination)
        study = the_study(connection, uid, call.body.orthanc_study_id)
        request_delivery(
            connection,
            destination_id=destination.id,
            objects=read_candidates(connection, study.orthanc_study_id),
            proof_wanted=str(destination.proof),
            now=services.clock(),
            asked_by=call.actor.name,
        )
        which = told_apart(connection, [study])(study)
    url = call.site.url("archive.study_page", study_instance_uid=uid, orthanc_study_id=which)
    return see_other(call, f"{url}#deliveries")


def health_check(call: AnyCall) -> list[Check]:
    """How far all objects are; destinations that are down."""
    name = P_("Deliveries")
    try:
        with call.connect() as connection:
            destinations = list_destinations(connection)
            figures = read_figures(connection, [one.id for one in destinations], call.services.clock()).values()
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=P_("unknown without the database"))]
    look = P_("Its page has the last errors, and a test of the connection.")
    places = call.services.settings.destination_places
    refused = {one.id: said[0].sentence for one in destinations if (said := refusals(one.address, places))}
    found = [
        Check(
            kind="attention",
            name=P_("Destination %(name)s", name=one.name),
            words=P_("not allowed by the settings") if one.id in refused else P_("does not answer"),
            url=call.site.url("deliveries.destination_page", destination_id=one.id),
            advice=refused.get(one.id) or one.last_error or look,
        )
        for one in destinations
        if one.state == "down" or (one.id in refused and not one.is_paused)
    ]
    if not destinations:
        return [Check(kind="off", name=name, words=P_("no destination is set up"))]
    return [_how_far(call, list(figures)), *found]


def _sums(figures: Iterable[DestinationFigures]) -> dict[Standing, int]:
    """Of all destinations that there are."""
    every = list(figures)
    return {one: sum(of.counts[one] for of in every) for one in Standing}


def _how_far(call: AnyCall, figures: Sequence[DestinationFigures]) -> Check:
    """What was given up asks for a person, but what left Orthanc: nobody can send that."""
    counts = _sums(figures)
    in_need = counts[Standing.GIVEN_UP] - sum(of.left for of in figures)
    on_the_way = any(counts[one] for one in ON_THE_WAY)
    words = P_(
        "%(waiting)s waiting · %(sending)s sending · %(arrived)s arrived · %(unproved)s sent, unproved · "
        "%(given_up)s given up",
        **{one.name.lower(): f"{count:,}" for one, count in counts.items()},
    )
    state = Standing.GIVEN_UP if in_need else Standing.WAITING if on_the_way else None
    return Check(
        kind="attention" if in_need else "waiting" if on_the_way else "ok",
        name=P_("Deliveries"),
        words=words,
        url=call.site.url("deliveries.deliveries_page", state=str(state) if state else None),
        advice=P_("See the reason, then send it again.") if in_need else "",
    )
