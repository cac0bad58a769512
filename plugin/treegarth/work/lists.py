"""What a list does beyond one page: a file of very many rows, and something done with chosen rows or with every one.

Rows that are ticked are done with at once, in one transaction. Every row that the filters leave is a long work, in the
name of who asks for it, and so is a file that is too large to be waited for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from gzip import GzipFile
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Annotated, Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from flask import Response
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from sqlalchemy import Connection, Engine

from treegarth.access.actors import EVERY_PERMISSION, Actor, Permission
from treegarth.audit.model import What
from treegarth.database.engine import connect, transaction
from treegarth.errors import InvalidRequest
from treegarth.index.study_search import StudySearch
from treegarth.limits import LONGEST_QUERY
from treegarth.phrases import P_, Phrase
from treegarth.record import Record
from treegarth.web.access import check_permission
from treegarth.web.audited import BY_PERMISSION, OF_RESOURCE
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.export import FORMATS, Format, write_export
from treegarth.web.listing import Listing, Rows
from treegarth.web.lists import LARGEST_LIMIT
from treegarth.web.parts import translated
from treegarth.web.paths import API_PATH, BASE_PATH
from treegarth.web.routes import AnyText, Parameters, Route, make_model
from treegarth.web.row_actions import Acted, RowAction, act, action_of, body_of, said_of
from treegarth.web.told import see_other
from treegarth.web.validation import validated
from treegarth.work.kinds import Block, Report, WorkKind
from treegarth.work.list_kinds import ACTING, EXPORTING
from treegarth.work.pages import PAGE
from treegarth.work.store import PART_BYTES, ClaimedWork, LongWork, keep_file, start

KEPT_FOR = timedelta(days=7)
"""A file that a work made."""
ROWS_OF_A_BLOCK = 200
LARGEST_PLAIN = 20_000_000
"""Bytes of a CSV file that is kept as it is: an answer of Orthanc's plugin is in its memory as a whole. The other
formats are compressed by themselves."""

AnyListing = Listing[Any, Any]


# ---- what answers ----


class FormatBody(Parameters):
    """Which file."""

    format: Format
    """`csv`, `xlsx` or `parquet`."""
    here: Annotated[AnyText, Field(max_length=LONGEST_QUERY)] = ""
    """What the list's address asked for."""


def routes_of(listing: AnyListing, actions: Sequence[RowAction]) -> list[Route]:
    """Beside the list's own: of its files, and of what acts on its rows."""
    page, api = f"{BASE_PATH}/{listing.path}", f"{API_PATH}/{listing.api_path}"
    return [
        Route(
            name=f"{listing.name}_prepare",
            path=f"{page}/export",
            method="POST",
            permission=listing.permission,
            further=(Permission.EXPORT,),
            handler=lambda call: _prepare(call, listing),
            summary=f"{listing.summary} All of it as a file, as a long work.",
            body=FormatBody,
            path_parameters=listing.parts,
        ),
        Route(
            name=f"api.{listing.api_name}_prepare",
            path=f"{api}/export/{{format}}",
            method="POST",
            permission=listing.permission,
            further=(Permission.EXPORT,),
            handler=lambda call: export(call, listing, call.path.format, asked_by_body(call.body), for_people=False),
            summary=f"{listing.summary} All of it as a file, as a long work.",
            body=listing.file_query,
            path_parameters=listing.file_parts,
            answer=LongWork,
            status=202,
            problems=(409, 503),
            tag=listing.tag,
        ),
        *(_act_routes(listing, actions) if actions else []),
    ]


def _act_routes(listing: AnyListing, actions: Sequence[RowAction]) -> list[Route]:
    """They need what the list does; each action asks for its own permission."""
    page, api = f"{BASE_PATH}/{listing.path}", f"{API_PATH}/{listing.api_path}"
    summary = f"{listing.summary} Do something with some of them."
    body = body_of(listing.record, listing.key, actions)
    shared: dict[str, Any] = {"method": "POST", "permission": listing.permission, "path_parameters": listing.parts}
    return [
        Route(
            name=f"{listing.name}_act",
            path=f"{page}/act",
            handler=lambda call: _act(call, listing, actions),
            summary=summary,
            body=_body_of_page(body, listing, actions),
            **shared,
        ),
        Route(
            name=f"api.{listing.api_name}_act",
            path=f"{api}/act",
            handler=lambda call: _act_on_chosen(call, listing, actions),
            summary=summary,
            body=body,
            answer=Acted,
            problems=(404, 409, 503),
            tag=listing.tag,
            **shared,
        ),
        Route(
            name=f"api.{listing.api_name}_act_on_all",
            path=f"{api}/act-on-all",
            handler=lambda call: act_on_all(call, listing, actions, asked_by_body(call.body.query)),
            summary=f"{listing.summary} Do something with every one that the filters leave, as a long work.",
            body=_body_of_all(body, listing),
            answer=LongWork,
            status=202,
            problems=(404, 409, 503),
            tag=listing.tag,
            **shared,
        ),
    ]


def _body_of_page(body: type[BaseModel], listing: AnyListing, actions: Sequence[RowAction]) -> type[BaseModel]:
    """The same from a form, which says where it stood: Orthanc hands on no query of POST."""
    here: Any = (Annotated[AnyText, Field(max_length=LONGEST_QUERY)], FieldInfo(default="", description="The address."))
    every: Any = (bool, FieldInfo(default=False, description="With every row that the filters leave."))
    keys: Any = Annotated[body.model_fields["chosen"].annotation, Field(max_length=LARGEST_LIMIT)]
    chosen: Any = (keys, FieldInfo(default_factory=list, description="The rows."))
    return make_model(f"{body.__name__}Form", body, doc=body.__doc__, here=here, every=every, chosen=chosen)


def _body_of_all(body: type[BaseModel], listing: AnyListing) -> type[BaseModel]:
    kept: dict[str, Any] = {
        name: (field.annotation, field) for name, field in body.model_fields.items() if name != "chosen"
    }
    query: Any = listing.file_query
    asked: Any = (query, FieldInfo(default_factory=query, description="What is asked of the list: its filters."))
    return make_model(f"{listing.record.__name__}ActOnAll", Parameters, doc="What to do.", query=asked, **kept)


def asked_by_body(query: BaseModel) -> dict[str, str]:
    """What is asked of a list, as its address has it."""
    found = query.model_dump(mode="json", exclude_unset=True)
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in found.items()
        if value is not None
    }


def _asked_here(listing: AnyListing, here: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(here) if name in listing.file_query.model_fields}


def _prepare(call: Call[Any, FormatBody, Any], listing: AnyListing) -> Response:
    work = export(call, listing, call.body.format, _asked_here(listing, call.body.here), for_people=True)
    return see_other(call, call.site.url(PAGE, work_id=work.id))


def _act(call: Call[Any, Any, None], listing: AnyListing, actions: Sequence[RowAction]) -> Response:
    """Back to the list as it was asked for, which says what was done; to the work where it is done with every row."""
    body = call.body
    if body.every:
        work = act_on_all(call, listing, actions, _asked_here(listing, body.here))
        return see_other(call, call.site.url(PAGE, work_id=work.id))
    if not body.chosen:
        raise InvalidRequest(P_("Choose a row first."))
    acted = _act_on_chosen(call, listing, actions)
    names = {*listing.file_query.model_fields, "cursor"}
    here = {name: value for name, value in parse_qsl(body.here) if name in names}
    return see_other(call, call.site.url(f"{listing.name}_page", **here), *action_of(actions, body).said(acted))


def _act_on_chosen(call: Call[Any, Any, None], listing: AnyListing, actions: Sequence[RowAction]) -> Acted:
    action, chosen = action_of(actions, call.body), call.body.chosen
    _note(call, action)
    call.noted.count = len(chosen)
    if level := OF_RESOURCE.get(listing.key):
        call.noted.resources = [f"{level}/{one}" for one in chosen]
    return act(actions, call)


def _note(call: AnyCall, action: RowAction) -> None:
    """For the audit trail: what is done, which the address does not say."""
    call.noted.what, call.noted.detail = BY_PERMISSION.get(action.permission, What.CHANGE), action.name


# ---- what starts a work ----


def export(
    call: AnyCall, listing: AnyListing, wanted: Format, asked: Mapping[str, str], *, for_people: bool
) -> LongWork:
    """Start to make a file of every row that is asked for."""
    title = translated(call, listing.title)
    detail = P_("%(list)s as %(format)s", list=Phrase(listing.title), format=wanted)
    more = {"format": wanted, "for_people": for_people, "title": title}
    return _start(call, EXPORTING, listing, asked, more, detail)


def act_on_all(
    call: Call[Any, Any, Any], listing: AnyListing, actions: Sequence[RowAction], asked: Mapping[str, str]
) -> LongWork:
    """Start to do something with every row that is asked for. Raises InvalidRequest, PermissionDenied."""
    action = action_of(actions, call.body)
    _note(call, action)
    call.noted.detail = f"{action.name}, all of: {urlencode(asked)}"
    check_permission(call.actor, action.permission)
    if not action.takes_all:
        raise InvalidRequest(P_("This is done with chosen rows only."))
    said = said_of(action, call.body)
    validated(action.given, said)
    detail = P_("%(action)s · %(list)s", action=Phrase(action.label), list=Phrase(listing.title))
    return _start(call, ACTING, listing, asked, {"action": action.name, "said": said}, detail)


def _start(
    call: AnyCall, kind: WorkKind, listing: AnyListing, asked: Mapping[str, str], more: Mapping[str, Any], detail: str
) -> LongWork:
    query = validated(listing.file_query, dict(asked))
    path = call.path.model_dump(mode="json", exclude={"format"}) if isinstance(call.path, BaseModel) else {}
    call.noted.detail = call.noted.detail or f"{listing.name}, all of: {urlencode(asked)}"
    given = {"list": listing.name, "query": dict(asked), "path": path, **more}
    given["permissions"] = sorted(map(str, call.actor.permissions))
    named = json.dumps([given, call.actor.name], sort_keys=True)
    subject = f"{listing.name} {hashlib.sha256(named.encode()).hexdigest()[:16]}"
    with call.begin() as connection:
        listing.selected(call.asker, connection, query)  # refuses what the list itself refuses
        by, now = call.actor.name, call.services.clock()
        return start(connection, kind.name, subject=subject, given=given, detail=detail, by=by, now=now)


# ---- what carries it on ----


def _asker(listing: AnyListing, work: ClaimedWork, zone: tzinfo, search: StudySearch) -> Asker:
    """Who started it and when, with the permissions that he had."""
    permissions = EVERY_PERMISSION.intersection(work.given["permissions"])
    path = validated(listing.parts, work.given["path"]) if listing.parts else None
    actor = Actor(name=work.asked_by, permissions=permissions)
    return Asker(actor=actor, now=work.asked_at, path=path, zone=zone, search=search)


def write_file(
    listing: AnyListing, engine: Engine, zone: ZoneInfo, work: ClaimedWork, report: Report, search: StudySearch
) -> Block:
    """From the first row on: the file that another attempt began is gone with its worker."""
    given, wanted = work.given, next(one for one in FORMATS if one == work.given["format"])
    query: Any = validated(listing.file_query, given["query"])
    with TemporaryFile() as file:
        with connect(engine) as connection:
            selected = listing.selected(_asker(listing, work, zone, search), connection, query)
            total = listing.count(connection, selected, at_most=2**62)
            report(-work.done, total)  # from the beginning
            pieces = _told(listing.pieces(connection, selected, query.sort), report, -work.done)
            write_export(
                wanted, given["title"], listing.fields, pieces, file, mark=given["for_people"], sheets=listing.sheets
            )
        name = listing.file_name(wanted, work.asked_at.astimezone(zone))
        until = work.asked_at + KEPT_FOR
        is_large = wanted == "csv" and file.tell() > LARGEST_PLAIN
        with _packed(file) if is_large else nullcontext(file) as kept, transaction(engine) as connection:
            kept.seek(0)
            keep_file(connection, work.id, _parts(kept), name=f"{name}.gz" if is_large else name, until=until)
    return Block(done=total - work.done, ends="done")


def _told(pieces: Iterator[Sequence[Record]], report: Report, before: int) -> Iterator[Sequence[Record]]:
    written = before
    for piece in pieces:
        yield piece
        written += len(piece)
        report(written, None)


@contextmanager
def _packed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same as GZIP."""
    with TemporaryFile() as packed:
        file.seek(0)
        with GzipFile(fileobj=packed, mode="wb") as stream:
            copyfileobj(file, stream)
        yield packed


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(PART_BYTES):
        yield part


def act_on_next(
    connection: Connection,
    listing: AnyListing,
    action: RowAction,
    work: ClaimedWork,
    now: datetime,
    zone: ZoneInfo,
    search: StudySearch,
) -> Block:
    """A block of rows, each by its key; what is done with them does not change their order. Which rows is said by what
    was asked for, and when: `today` was that day."""
    asker = _asker(listing, work, zone, search)
    selected = listing.selected(asker, connection, validated(listing.file_query, work.given["query"]))
    total = work.total if work.total is not None else listing.count(connection, selected, at_most=2**62)
    rows: Rows[Any] = listing.walk(connection, selected, cursor=work.place, limit=ROWS_OF_A_BLOCK)
    keys = sorted({getattr(one, listing.key) for one in rows.items})
    acting = replace(asker, now=now)
    done = action.act(acting, connection, keys, validated(action.given, work.given["said"])) if keys else 0
    return Block(
        done=len(rows.items),
        counts={"left": len(keys) - done},
        place=rows.next,
        total=total if rows.next else work.done + len(rows.items),
        ends=None if rows.next else "done",
    )
