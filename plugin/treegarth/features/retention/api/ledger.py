"""The ledger over HTTP: what left the archive, where it is now, and bringing it back."""

from __future__ import annotations

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.retention.api.parts import retention_route
from treegarth.features.retention.paths import LedgerPath
from treegarth.features.retention.store import ledger as store
from treegarth.features.retention.store.ledger import LedgerEntry, Whereabouts
from treegarth.features.retention.store.ledger_studies import Holder, LedgerStudy, holders, keys_of, read_study
from treegarth.index.studies import StudyKey
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.path_models import OrthancStudyPath
from treegarth.web.routes import Answer, Parameters, Route
from treegarth.work.store import LongWork

MISSING = P_("The ledger has nothing of this study.")


class BringBackBody(Parameters):
    """How much is to come back."""

    scope: store.Scope = "object"
    """The object alone, or all that is gone of its series or study."""


class LedgerStudyAnswer(Answer):
    """A study of the ledger, and who has of it what is gone."""

    study: LedgerStudy
    holders: list[Holder]


class LedgerEntryAnswer(Answer):
    """An entry, and where its object is now."""

    entry: LedgerEntry
    places: list[Whereabouts]


def study(call: Call[None, None, OrthancStudyPath]) -> LedgerStudyAnswer:
    with call.connect() as connection:
        found = read_study(connection, _key(connection, call.path.orthanc_study_id))
        if found is None:
            raise NotFound(MISSING)
        return LedgerStudyAnswer(study=found, holders=holders(connection, found.orthanc_study_id))


def _key(connection: Connection, orthanc_study_id: str) -> StudyKey:
    found = keys_of(connection, [orthanc_study_id])
    if not found:
        raise NotFound(MISSING)
    return found[0]


def entry(call: Call[None, None, LedgerPath]) -> LedgerEntryAnswer:
    with call.connect() as connection:
        found = store.read_entry(connection, call.path.ledger_id)
        places = store.whereabouts(connection, found.orthanc_instance_id)
    return LedgerEntryAnswer(entry=found, places=list(places))


def bring_back(call: Call[None, BringBackBody, LedgerPath]) -> LongWork:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        work = store.ask_back(connection, entry, call.body.scope, asked_by=call.actor.name, now=call.services.clock())
    return _started(work)


def bring_study_back(call: Call[None, None, OrthancStudyPath]) -> LongWork:
    """The same, of all that is gone of a study."""
    with call.begin() as connection:
        key = _key(connection, call.path.orthanc_study_id)
        work = store.ask_back(connection, key, "study", asked_by=call.actor.name, now=call.services.clock())
    return _started(work)


def _started(work: LongWork | None) -> LongWork:
    if work is None:
        raise RequestConflict(P_("Nothing of it is gone."))
    return work


def routes() -> list[Route]:
    """The endpoints about what left the archive."""
    return [
        retention_route(
            "retention_ledger_study",
            "ledger/studies/{orthanc_study_id}",
            study,
            "A study of the ledger, and who has of it what is gone.",
        ),
        retention_route(
            "bring_study_back",
            "ledger/studies/{orthanc_study_id}/bring-back",
            bring_study_back,
            "Retrieve all that is gone of a study from where it is.",
            method="POST",
            permission=Permission.PRUNE,
            status=202,
            problems=(409, 503),
        ),
        retention_route(
            "retention_ledger_entry",
            "ledger/{ledger_id}",
            entry,
            "An entry of the ledger, and where its object is now.",
        ),
        retention_route(
            "bring_back",
            "ledger/{ledger_id}/bring-back",
            bring_back,
            "Retrieve an object, or all that is gone of its series or study, from where it is.",
            method="POST",
            permission=Permission.PRUNE,
            status=202,
            problems=(409, 503),
        ),
    ]
