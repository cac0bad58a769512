"""The ledger of what left the archive: when, why, on which proof; where it is now; and how it comes back."""

from __future__ import annotations

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.retention.paths import LedgerPath
from treegarth.features.retention.retrieval import BRINGING_BACK
from treegarth.features.retention.store import ledger as store
from treegarth.features.retention.store.ledger_studies import keys_of
from treegarth.features.retention.words import (
    LEDGER_STATES,
    PROOFS,
    back_to_study,
    sentences,
)
from treegarth.index.studies import OfStudy, told_apart
from treegarth.phrases import P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.path_models import OrthancStudyPath
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.work.pages import work_part
from treegarth.work.store import latest

SCOPES: tuple[store.Scope, ...] = ("object", "series", "study")


class BringBackBody(Parameters):
    """How much is to come back."""

    scope: store.Scope = "object"
    """The object, or all that is gone of its series or study."""


class BringStudyBackBody(Parameters):
    """Where the button stands."""

    back: Text = ""
    """`study` where it is the study's page."""


def routes() -> list[Route]:
    return [
        route(
            name="retention.ledger_entry_page",
            path="/treegarth/retention/ledger/{ledger_id}",
            permission=Permission.SEE_SYSTEM,
            handler=entry_page,
            summary="Where an object that left is now, and bringing it back.",
        ),
        route(
            name="retention.bring_study_back_page",
            path="/treegarth/retention/ledger/studies/{orthanc_study_id}/bring-back",
            method="POST",
            permission=Permission.PRUNE,
            handler=bring_study_back,
            summary="Bring back all that is gone of a study.",
        ),
        route(
            name="retention.bring_back_page",
            path="/treegarth/retention/ledger/{ledger_id}/bring-back",
            method="POST",
            permission=Permission.PRUNE,
            handler=bring_back,
            summary="Bring an object back, or all that is gone of its series or study.",
        ),
    ]


def entry_page(call: Call[None, None, LedgerPath]) -> Response:
    with call.connect() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        places = store.whereabouts(connection, entry.orthanc_instance_id)
        asked = latest(connection, BRINGING_BACK.name, entry.orthanc_study_id)
        which = told_apart(connection, [entry])
        is_gone = entry.state == "deleted" and entry.returned_at is None
        scopes = [one for one in SCOPES if is_gone and store.can_come_back(connection, entry, one)]
    return render_page(
        call,
        "retention/ledger_entry.html",
        entry=entry,
        which=which,
        scopes=scopes,
        state_words=LEDGER_STATES["returned" if entry.returned_at else entry.state],
        kept_because=sentences(entry.kept_because) if entry.kept_because else (),
        places=places,
        proofs=PROOFS,
        asked=asked and work_part(call, asked),
        busy=asked is not None and asked.is_running,
        is_gone=is_gone,
    )


def bring_back(call: Call[None, BringBackBody, LedgerPath]) -> Response:
    with call.begin() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        told = _ask_back(call, connection, entry, call.body.scope)
    return see_other(call, call.site.url("retention.ledger_entry_page", ledger_id=entry.id), *told)


def bring_study_back(call: Call[None, BringStudyBackBody, OrthancStudyPath]) -> Response:
    """Back to the study's page, where the button stood there, else to its objects in the ledger."""
    with call.begin() as connection:
        study = next(iter(keys_of(connection, [call.path.orthanc_study_id])), None)
        if study is None:
            raise NotFound(P_("The ledger has nothing of this study."))
        told = _ask_back(call, connection, study, "study")
    if call.body.back == "study":
        return back_to_study(call, study)
    key = {"study_instance_uid": study.study_instance_uid, "orthanc_study_id": study.orthanc_study_id}
    return see_other(call, call.site.url("retention.ledger_objects_page", **key), *told)


def _ask_back(call: AnyCall, connection: Connection, entry: OfStudy, scope: store.Scope) -> list[str]:
    """What is to be said where nothing comes back."""
    try:
        work = store.ask_back(connection, entry, scope, asked_by=call.actor.name, now=call.services.clock())
    except store.NobodyHasIt as error:
        return [error.sentence]
    return [] if work is not None else [P_("Nothing of it is gone: it is in the archive.")]
