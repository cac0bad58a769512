"""Sources of dose, and why some could not be read. Reads only, but that what failed can be read again.

The usual order, by study, has an index. The others sort what the filters leave: of what needs a person that is little,
and of a million sources it takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import Response
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.pages.names import KIND_NAMES
from treegarth.features.dose.registry.store.all_sources import (
    DoseReportSummary,
    State,
    Unread,
    count_unread,
    select_sources,
)
from treegarth.features.dose.registry.store.queue import retry_failed, retry_source
from treegarth.features.dose.registry.store.reread_walk import start_reread
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_, NN_, Phrase
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import State as Sign
from treegarth.web.path_models import OrthancInstancePath
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import url_with
from treegarth.web.told import see_other

REASONS_SHOWN = 5
STATES: Mapping[str, str] = {
    "unread": N_("waits to be read"),
    "read": N_("read"),
    "refused": N_("holds no dose"),
    "other": N_("about something else"),
    "failed": N_("could not be read"),
}
KIND_CHOICES: Mapping[str, str] = {str(kind): words for kind, words in KIND_NAMES.items()}
SIGNS: Mapping[str, Sign] = {
    "unread": "waiting",
    "read": "ok",
    "refused": "nothing",
    "other": "elsewhere",
    "failed": "failed",
}


class SourcesAsked(Parameters):
    """Which sources."""

    state: State | None = None
    """`unread` waits; `refused` holds no dose; `other` is a report about something else; `failed` needs a person."""
    kind: Kind | None = None
    """Of this kind."""
    issues: bool = False
    """Only those that were not read in every part."""


class Origin(Parameters):
    origin: Literal["system", "unread"] = "system"
    """The page whose button was pressed, to which the answer leads back."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A link to one kind of trouble."""

    label: str
    count: int
    url: str
    on: bool


def routes() -> list[Route]:
    return [
        route(
            name="dose.retry_page",
            path="/treegarth/dose/reports/{orthanc_instance_id}/retry",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=retry,
            summary="Read a dose report again that failed.",
        ),
        route(
            name="dose.retry_all_page",
            path="/treegarth/dose/sources/retry",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=retry_all,
            summary="Read every dose report again that failed.",
        ),
        route(
            name="dose.reread_page",
            path="/treegarth/dose/reread",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=reread,
            summary="Read every source of dose in the archive again.",
        ),
    ]


def find(asker: Asker, connection: Connection, asked: SourcesAsked) -> Select[Any]:
    return select_sources(state=asked.state, kind=asked.kind, issues=asked.issues)


def extras(
    call: AnyCall, connection: Connection, asked: SourcesAsked, sources: Sequence[DoseReportSummary]
) -> Mapping[str, Any]:
    return {
        "asked": asked,
        "choices": choices(call, asked, count_unread(connection)),
        "which": told_apart_with_kept(connection, sources),
        "reasons": {one.orthanc_instance_id: reasons_of(one) for one in sources},
        "most_reasons": REASONS_SHOWN,
        "states": {state: (SIGNS[state], words) for state, words in STATES.items()},
        "kinds": KIND_NAMES,
    }


def choices(call: AnyCall, asked: SourcesAsked, counts: Mapping[Unread, int]) -> list[Choice]:
    """What a person may have to look after, each with its number; chosen once more, all are shown again."""
    asks: dict[Unread, tuple[str, dict[str, str], bool]] = {
        "failed": (N_("could not be read"), {"state": "failed"}, asked.state == "failed"),
        "refused": (N_("hold no dose"), {"state": "refused"}, asked.state == "refused"),
        "issues": (N_("read in part"), {"issues": "true"}, asked.issues),
    }
    nothing = {"state": None, "issues": None, "cursor": None}
    return [
        Choice(
            label=words,
            count=counts[unread],
            url=url_with(call, **(nothing if is_on else {**nothing, **query})),
            on=is_on,
        )
        for unread, (words, query, is_on) in asks.items()
    ]


def reasons_of(source: DoseReportSummary) -> list[str]:
    """Why it could not be read, or not in every part."""
    whole = {"failed": source.last_error, "refused": source.refused, "other": source.refused}.get(source.state)
    if whole is not None:
        return [whole]
    return [Phrase("%(path)s %(reason)s", issue) for issue in source.issues or ()]


def retry(call: Call[None, Origin, OrthancInstancePath]) -> Response:
    """Back to the page of the button afterwards, by GET."""
    with call.begin() as connection:
        retry_source(connection, call.path.orthanc_instance_id)
    return _back(call)


def retry_all(call: Call[None, Origin, None]) -> Response:
    with call.begin() as connection:
        retry_failed(connection)
    return _back(call)


def reread(call: Call[None, None, None]) -> Response:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    services = call.services
    with call.begin() as connection:
        start_reread(connection, call.actor.name, services.clock())
    return see_other(call, call.site.url("system.system_page"))


def _back(call: Call[object, Origin, object]) -> Response:
    site = call.site
    url = (
        site.url("system.system_page")
        if call.body.origin == "system"
        else site.url("dose.sources_page", state="failed")
    )
    return see_other(call, url)


SOURCES = Listing(
    name="dose.sources",
    title=N_("Sources of dose"),
    counts=NN_("%(num)s source", "%(num)s sources"),
    path="dose/sources",
    api_name="dose_reports",
    api_path="dose/reports",
    tag="dose",
    summary="Every source of dose with its state, and what of it could not be read.",
    record=DoseReportSummary,
    asked=SourcesAsked,
    query=find,
    unique="orthanc_instance_id",
    order="study_instance_uid",
    columns=(
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="study_date", label=N_("Study date")),
        Column(name="kind", label=N_("Kind"), form="own", narrow="c-2"),
        Column(name="state", label=N_("State"), form="own"),
        Column(name="manufacturer_model_name", label=N_("Equipment"), narrow="c-1"),
        Column(name="reasons", label=N_("Reason"), sorts_by=()),
        Column(name="discovered_at", label=N_("Arrived"), narrow="c-4"),
        Column(name="again", label=N_("Again"), sorts_by=()),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices=STATES, width="wide"),
        Filter(name="kind", label=N_("Kind"), choices=KIND_CHOICES, width="wide"),
        Filter(name="issues", label=N_("Read in part"), choices={"true": N_("yes")}),
    ),
    empty=Empty(
        title=N_("No source of dose yet"),
        text=N_("Each dose report, and each image that tells a dose, stands here with what of it could not be read."),
        filtered=N_("No source of dose fits these filters"),
    ),
    template="dose/sources.html",
    extras=extras,
)
