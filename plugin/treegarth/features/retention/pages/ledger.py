"""The ledger of what left the archive: when, why, on which proof; where it is now; and how it comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask import Response
from pydantic import model_validator

from treegarth.features.retention.pages.words import (
    LEDGER_STATES,
    PROOFS,
    WISH_STATES,
    back_to_study,
    said,
    see_other,
    states_of,
    words_of,
)
from treegarth.features.retention.paths import LedgerPath
from treegarth.features.retention.store import ledger as store
from treegarth.features.retention.store.ledger import LedgerEntry, LedgerPage
from treegarth.features.retention.store.overview import name_studies
from treegarth.features.retention.tables import prune_ledger
from treegarth.index.studies import StudyKey, asked_study, told_apart
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import State, ngettext_for
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.which_study import WhichStudy

WISHES_SHOWN = 8


class LedgerQuery(WhichStudy):
    """Which entries."""

    uid: Text | None = None
    """A Study or a SOP Instance UID."""
    state: Literal["intended", "deleted", "kept"] | None = None
    """Only those in this state."""
    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""

    @model_validator(mode="after")
    def _names_a_study_of_a_uid(self) -> LedgerQuery:
        if self.orthanc_study_id and not self.uid:
            raise ValueError(N_("orthanc_study_id says which study of a study_instance_uid: give that, too."))
        return self


class EntryQuery(Parameters):
    """What the last wish came to."""

    nothing: bool = False
    """Nothing of it was gone."""


class BringBackBody(Parameters):
    """How much is to come back."""

    scope: Literal["object", "series", "study"] = "object"
    """The object, or all that is gone of its series or study."""
    back: Text = ""
    """`study` where the button stands on the study's page."""


@dataclass(frozen=True, kw_only=True)
class ShownProof:
    """What the deletion stood on."""

    destination: str
    words: str
    at: datetime


def routes() -> list[Route]:
    return [
        route(
            name="retention.ledger_page",
            path="/treegarth/retention/ledger",
            permission=Permission.VIEW,
            handler=ledger_page,
            summary="What left the archive: when, by which policy or whose hand, on which proof.",
        ),
        route(
            name="retention.ledger_entry_page",
            path="/treegarth/retention/ledger/{ledger_id}",
            permission=Permission.VIEW,
            handler=entry_page,
            summary="Where an object that left is now, and bringing it back.",
        ),
        route(
            name="retention.bring_back_page",
            path="/treegarth/retention/ledger/{ledger_id}/bring-back",
            method="POST",
            permission=Permission.OPERATE,
            handler=bring_back,
            summary="Bring an object back, or all that is gone of its series or study.",
        ),
    ]


def ledger_page(call: Call[LedgerQuery, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        page = _page(connection, query)
        wishes = store.list_bring_backs(connection, limit=WISHES_SHOWN)
        names = name_studies(connection, [*page.entries, *wishes])
        which = told_apart(connection, [*page.entries, *wishes])
    return render_page(
        call,
        "ledger.html",
        entries=[(one, names.get(one.orthanc_study_id), state_of(call, one)) for one in page.entries],
        which=which,
        next_cursor=page.next,
        counted=ngettext_for(call, "%(num)s on this page", "%(num)s on this page", len(page.entries)),
        filtered=bool(query.uid or query.state),
        wishes=[(one, names.get(one.orthanc_study_id)) for one in wishes],
        wish_states=states_of(call, WISH_STATES),
        busy=any(one.state == "waiting" for one in wishes),
        states=[(key, word) for key, (_, word) in states_of(call, LEDGER_STATES).items() if key != "returned"],
    )


def _page(connection: Any, query: LedgerQuery) -> LedgerPage:
    """By the study's UID; where there is none of it, by the object's."""
    uid = (query.uid or "").strip() or None
    study = asked_study(connection, uid, query.orthanc_study_id, kept=[prune_ledger])
    page = store.list_entries(connection, study=study, state=query.state, cursor=query.cursor)
    if uid is None or page.entries:
        return page
    return store.list_entries(connection, sop_instance_uid=uid, state=query.state, cursor=query.cursor)


def state_of(call: AnyCall, entry: LedgerEntry) -> tuple[State, str]:
    return states_of(call, LEDGER_STATES)["returned" if entry.returned_at else entry.state]


def entry_page(call: Call[EntryQuery, None, LedgerPath]) -> Response:
    with call.connect() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        places = store.whereabouts(connection, entry.orthanc_instance_id)
        wishes = store.list_bring_backs(connection, study=entry, limit=WISHES_SHOWN)
        name = name_studies(connection, [entry]).get(entry.orthanc_study_id)
        which = told_apart(connection, [entry])
    proofs = words_of(call, PROOFS)
    return render_page(
        call,
        "ledger_entry.html",
        entry=entry,
        name=name,
        which=which,
        state_words=state_of(call, entry),
        kept_because=said(call, entry.kept_because),
        places=[(one, proofs.get(one.proof, one.proof)) for one in places],
        proofs=[
            ShownProof(
                destination=one.destination,
                words=proofs.get(one.kind, one.kind),
                at=one.at,
            )
            for one in entry.proof or ()
        ],
        wishes=wishes,
        wish_states=states_of(call, WISH_STATES),
        busy=any(one.state == "waiting" for one in wishes),
        is_gone=entry.state == "deleted" and entry.returned_at is None,
        nothing=call.query.nothing,
    )


def bring_back(call: Call[None, BringBackBody, LedgerPath]) -> Response:
    services, body = call.services, call.body
    with call.begin() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        number = store.ask_back(connection, entry, body.scope, asked_by=call.actor.name, now=services.clock())
    if body.back == "study":
        uid, key = entry.study_instance_uid, entry.orthanc_study_id
        return back_to_study(call, StudyKey(study_instance_uid=uid, orthanc_study_id=key))
    nothing = {} if number is not None else {"nothing": "true"}
    return see_other(call.site.url("retention.ledger_entry_page", ledger_id=entry.id, **nothing))
