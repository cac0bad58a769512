"""The ledger of what left the archive: when, why, on which proof; where it is now; and how it comes back."""

from __future__ import annotations

from typing import Literal

from flask import Response

from treegarth.features.retention.paths import LedgerPath
from treegarth.features.retention.retrieval import BRINGING_BACK
from treegarth.features.retention.store import ledger as store
from treegarth.features.retention.store.overview import name_studies
from treegarth.features.retention.words import (
    LEDGER_STATES,
    PROOFS,
    back_to_study,
    sentences,
)
from treegarth.index.studies import StudyKey, told_apart
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.work.pages import work_part
from treegarth.work.store import latest


class BringBackBody(Parameters):
    """How much is to come back."""

    scope: Literal["object", "series", "study"] = "object"
    """The object, or all that is gone of its series or study."""
    back: Text = ""
    """`study` where the button stands on the study's page."""


def routes() -> list[Route]:
    return [
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


def entry_page(call: Call[None, None, LedgerPath]) -> Response:
    with call.connect() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        places = store.whereabouts(connection, entry.orthanc_instance_id)
        asked = latest(connection, BRINGING_BACK.name, entry.orthanc_study_id)
        name = name_studies(connection, [entry]).get(entry.orthanc_study_id)
        which = told_apart(connection, [entry])
    return render_page(
        call,
        "retention/ledger_entry.html",
        entry=entry,
        name=name,
        which=which,
        state_words=LEDGER_STATES["returned" if entry.returned_at else entry.state],
        kept_because=sentences(entry.kept_because) if entry.kept_because else (),
        places=places,
        proofs=PROOFS,
        asked=asked and work_part(call, asked),
        busy=asked is not None and asked.is_running,
        is_gone=entry.state == "deleted" and entry.returned_at is None,
    )


def bring_back(call: Call[None, BringBackBody, LedgerPath]) -> Response:
    services, body = call.services, call.body
    with call.begin() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        work = store.ask_back(connection, entry, body.scope, asked_by=call.actor.name, now=services.clock())
    if body.back == "study":
        uid, key = entry.study_instance_uid, entry.orthanc_study_id
        return back_to_study(call, StudyKey(study_instance_uid=uid, orthanc_study_id=key))
    page = call.site.url("retention.ledger_entry_page", ledger_id=entry.id)
    return see_other(call, page, *([] if work is not None else [P_("Nothing of it is gone: it is in the archive.")]))
