"""The list of events that rules have not handled, for people and for programs.

Its orders have no index: rows are deleted as they are handled, and where a rule is being applied to a million studies,
sorting those that wait takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select

from treegarth.features.rules.model import Trigger
from treegarth.features.rules.store.events import OpenEvent, count_events, select_open
from treegarth.features.rules.store.rules import list_names
from treegarth.features.rules.words import TRIGGER_NAMES
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Identifier, Parameters

STATES = {"failed": N_("failed"), "waiting": N_("waiting")}


class EventsAsked(Parameters):
    """Which events."""

    state: Literal["failed", "waiting"] | None = None
    """`failed`: no attempt could handle it; `waiting`: it is still to be handled, or tried again."""
    trigger: Trigger | None = None
    """Of what happened: `study stable`, `series stable`, `dose read`, `schedule` or `by hand`."""
    rule_id: Identifier | None = None
    """That only this rule is to look at."""


def find(asker: Asker, connection: Connection, asked: EventsAsked) -> Select[Any]:
    return select_open(state=asked.state, trigger=asked.trigger, rule_id=asked.rule_id)


def extras(call: AnyCall, connection: Connection, asked: EventsAsked, events: Sequence[OpenEvent]) -> Mapping[str, Any]:
    return {"triggers": TRIGGER_NAMES, "open": count_events(connection)}


EVENTS = Listing(
    name="rules.events",
    title=N_("Waiting and failed"),
    counts=NN_("%(num)s event", "%(num)s events"),
    path="rules/waiting",
    api_name="rule_events",
    api_path="rule-events",
    tag="rules",
    summary="What rules have not looked at yet, and what they could not handle.",
    record=OpenEvent,
    asked=EventsAsked,
    query=find,
    unique="id",
    order="state",
    columns=(
        Column(name="state", label=N_("State")),
        Column(name="noted_at", label=N_("Noted")),
        Column(name="trigger", label=N_("What happened")),
        Column(name="rule_name", label=N_("Rule"), narrow="c-2"),
        Column(name="orthanc_study_id", label=N_("Study"), form="study"),
        Column(name="attempts", label=N_("Attempts"), narrow="c-2"),
        Column(name="last_error", label=N_("Reason"), form="own", sorts_by=()),
        Column(name="next_attempt_at", label=N_("Again")),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices=STATES),
        Filter(name="trigger", label=N_("What happened"), choices=TRIGGER_NAMES, width="wide"),
        Filter(name="rule_id", label=N_("Rule"), find_choices=lambda _, connection: list_names(connection)),
    ),
    empty=Empty(
        title=N_("Nothing waits, and nothing failed"),
        text=N_(
            "What arrives is looked at within seconds of being complete; what fails is tried again by itself first."
        ),
        filtered=N_("No event fits these filters"),
    ),
    template="rules/events.html",
    extras=extras,
)
