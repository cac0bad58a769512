"""Dose reports that could not be read, and why. Reads only, but that what failed can be read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from flask import Response

from treegarth.features.dose.registry.store.partly_read import PartlyRead, Unread, count_unread, list_partly_read
from treegarth.features.dose.registry.store.queue import retry_failed, retry_source
from treegarth.features.dose.registry.store.reread_walk import start_reread
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.features.dose.registry.store.trouble import TroubledSource, list_trouble
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import in_words, ngettext_for, translated
from treegarth.web.path_models import OrthancInstancePath
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page, url_with

REPORTS_ON_A_PAGE = 50
REASONS_SHOWN = 5
WORDS: dict[Unread, str] = {
    "failed": N_("could not be read"),
    "refused": N_("hold no dose"),
    "issues": N_("read in part"),
}


class UnreadQuery(Parameters):
    """Which reports."""

    trouble: Unread = "failed"
    """What is wrong with them."""
    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""


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


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A line of the table."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    study_date: date | None
    equipment: str
    reasons: list[str]
    more: int
    discovered_at: datetime
    gone: bool


def routes() -> list[Route]:
    return [
        route(
            name="dose.unread_page",
            path="/treegarth/dose/unread",
            permission=Permission.VIEW,
            handler=unread_page,
            summary="Dose reports that could not be read, or not in every part, and why.",
        ),
        route(
            name="dose.retry_page",
            path="/treegarth/dose/reports/{orthanc_instance_id}/retry",
            method="POST",
            permission=Permission.OPERATE,
            handler=retry,
            summary="Read a dose report again that failed.",
        ),
        route(
            name="dose.retry_all_page",
            path="/treegarth/dose/unread/retry",
            method="POST",
            permission=Permission.OPERATE,
            handler=retry_all,
            summary="Read every dose report again that failed.",
        ),
        route(
            name="dose.reread_page",
            path="/treegarth/dose/reread",
            method="POST",
            permission=Permission.OPERATE,
            handler=reread,
            summary="Read every source of dose in the archive again.",
        ),
    ]


def unread_page(call: Call[UnreadQuery, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        counts = count_unread(connection)
        if query.trouble == "issues":
            partly = list_partly_read(connection, limit=REPORTS_ON_A_PAGE, cursor=query.cursor)
            reports, following = [shown_partly_read(call, report) for report in partly.reports], partly.next
        else:
            page = list_trouble(connection, state=query.trouble, limit=REPORTS_ON_A_PAGE, cursor=query.cursor)
            reports, following = [shown_trouble(call, source) for source in page.sources], page.next
        which = told_apart_with_kept(connection, reports)
    return render_page(
        call,
        "dose_unread.html",
        reports=reports,
        which=which,
        next_cursor=following,
        trouble=query.trouble,
        counted=ngettext_for(call, "%(num)s report", "%(num)s reports", counts[query.trouble]),
        choices=[
            Choice(
                label=translated(call, words),
                count=counts[trouble],
                url=url_with(call, trouble=None if trouble == "failed" else trouble, cursor=None),
                on=trouble == query.trouble,
            )
            for trouble, words in WORDS.items()
        ],
    )


def shown_trouble(call: AnyCall, source: TroubledSource) -> Shown:
    return _shown(source, [in_words(call, source.reason or "–")])


def shown_partly_read(call: AnyCall, report: PartlyRead) -> Shown:
    return _shown(report, [f"{issue['path']} {in_words(call, issue['reason'])}" for issue in report.issues])


def _shown(source: TroubledSource | PartlyRead, reasons: list[str]) -> Shown:
    parts = (source.manufacturer, source.manufacturer_model_name, source.station_name)
    return Shown(
        orthanc_instance_id=source.orthanc_instance_id,
        orthanc_study_id=source.orthanc_study_id,
        study_instance_uid=source.study_instance_uid,
        study_date=source.study_date,
        equipment=" · ".join(part for part in parts if part),
        reasons=reasons[:REASONS_SHOWN],
        more=max(0, len(reasons) - REASONS_SHOWN),
        discovered_at=source.discovered_at,
        gone=source.source_deleted_at is not None,
    )


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
    return Response(status=303, headers={"Location": call.site.url("system.system_page")})


def _back(call: Call[object, Origin, object]) -> Response:
    name = "system.system_page" if call.body.origin == "system" else "dose.unread_page"
    return Response(status=303, headers={"Location": call.site.url(name)})
