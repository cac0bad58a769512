"""The list of all events of the audit trail, with its files. Of one patient, study or user it is a filter of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.audit.model import OUTCOME_WORDS, WAY_WORDS, WHAT_WORDS, EventOutcome, Way, What
from treegarth.audit.store import AuditEvent, select_events
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay, begins, is_over
from treegarth.web.routes import Navigation, Parameters, Text

OUTCOME_SIGNS: Mapping[str, str] = {"done": "ok", "passed": "ok", "refused": "attention", "failed": "failed"}


class EventsAsked(Parameters):
    """Which events."""

    actor: Text | None = None
    """By this user or AE title, exactly."""
    what: What | None = None
    """Of this kind."""
    outcome: EventOutcome | None = None
    """That ended so."""
    way: Way | None = None
    """By this door."""
    at_from: Day | None = None
    """From this day of the site on."""
    at_to: LastDay = None
    """To this day, with it."""
    patient_id: Text | None = None
    """About the patient of this ID."""
    study_instance_uid: Text | None = None
    """About the study of this UID."""
    address: Text | None = None
    """From this network address."""
    server: Text | None = None
    """Of this server's chain."""


def find(asker: Asker, connection: Connection, asked: EventsAsked) -> Select[Any]:
    return select_events(
        actor=asked.actor,
        what=asked.what,
        outcome=asked.outcome,
        way=asked.way,
        begin=begins(asked.at_from, asker.zone) if asked.at_from else None,
        end=is_over(asked.at_to, asker.zone) if asked.at_to else None,
        patient_id=asked.patient_id,
        study_instance_uid=asked.study_instance_uid,
        address=asked.address,
        server=asked.server,
    )


def extras(call: AnyCall, connection: Connection, asked: EventsAsked, found: Sequence[AuditEvent]) -> Mapping[str, Any]:
    return {
        "what_words": WHAT_WORDS,
        "outcome_words": OUTCOME_WORDS,
        "way_words": WAY_WORDS,
        "outcome_signs": OUTCOME_SIGNS,
    }


EVENTS = Listing(
    name="audit.events",
    title=N_("Audit trail"),
    counts=NN_("%(num)s event", "%(num)s events"),
    path="audit",
    api_name="audit_events",
    api_path="audit/events",
    tag="access",
    summary="Who did what, or tried to, when and from where.",
    record=AuditEvent,
    asked=EventsAsked,
    query=find,
    unique="id",
    order="-at",
    permits=Permission.SEE_AUDIT,
    columns=(
        Column(name="at", label=N_("When")),
        Column(name="actor", label=N_("User"), form="own", sorts_by=("actor", "at"), nulls_first=True),
        Column(name="what", label=N_("What was done"), form="own", sorts_by=()),
        Column(name="outcome", label=N_("Outcome"), form="own", sorts_by=()),
        Column(name="about", label=N_("About"), form="own", sorts_by=()),
        Column(name="path", label=N_("Request"), form="own", sorts_by=(), narrow="c-1"),
        Column(name="address", label=N_("From where"), form="own", sorts_by=(), narrow="c-2"),
    ),
    filters=(
        Filter(name="actor", label=N_("User")),
        Filter(name="what", label=N_("What was done"), choices=WHAT_WORDS),
        Filter(name="outcome", label=N_("Outcome"), choices=OUTCOME_WORDS),
        Filter(name="patient_id", label=N_("Patient ID")),
        Filter(name="at_from", label=N_("From")),
        Filter(name="at_to", label=N_("To")),
        Filter(name="study_instance_uid", label="Study Instance UID", width="wide", is_more=True),
        Filter(name="address", label=N_("Network address"), is_more=True),
        Filter(name="way", label=N_("By which door"), choices=WAY_WORDS, is_more=True),
        Filter(name="server", label=N_("Server"), is_more=True),
    ),
    empty=Empty(
        title=N_("Nothing happened yet"),
        text=N_(
            "Each sign-in, search, view, download, change and refusal is written here within a second, with who did it "
            "and from where. Nobody can change it afterwards."
        ),
        filtered=N_("No event fits these filters"),
    ),
    template="audit/events.html",
    extras=extras,
    navigation=Navigation(label=N_("Audit trail"), icon="list", order=42, key="w"),
)
