"""The list of long works, for people and for programs. There are few a day: no order but the first has an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select

from treegarth.index.studies import told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import translated
from treegarth.web.routes import Parameters, Text
from treegarth.work.kinds import WorkKinds
from treegarth.work.pages import STATES, whose
from treegarth.work.store import LongWork, select_works


class WorksAsked(Parameters):
    """Which works."""

    kind: Text | None = None
    """What is done, by its name: `dose.redeciding`."""
    subject: Text | None = None
    """What it is about, where several of a kind run at once: a rule's number."""
    state: Literal["running", "done", "partly", "failed", "stopped"] | None = None
    """`partly`: it ended, and some could not be done; `failed`: none, or it was given up."""


def find(asker: Asker, connection: Connection, asked: WorksAsked) -> Select[Any]:
    return select_works(kind=asked.kind, subject=asked.subject, state=asked.state, actor=asker.actor)


def kinds(call: AnyCall, connection: Connection) -> dict[str, str]:
    return {one.name: translated(call, one.title) for one in call.part(WorkKinds).every}


def extras(call: AnyCall, connection: Connection, asked: WorksAsked, works: Sequence[LongWork]) -> Mapping[str, Any]:
    return {
        "kinds": kinds(call, connection),
        "states": STATES,
        "whose": (names := whose(connection, call.part(WorkKinds), works)),
        "which": told_apart(connection, names.values()),
        "busy": any(one.is_running for one in works),
    }


WORKS = Listing(
    name="works.works",
    title=N_("Long work"),
    counts=NN_("%(num)s long work", "%(num)s long works"),
    path="work",
    api_name="works",
    api_path="work",
    tag="work",
    summary="Work that takes minutes or hours: how far each is, who asked for it, and what came of it.",
    record=LongWork,
    asked=WorksAsked,
    query=find,
    unique="id",
    order="-id",
    columns=(
        Column(name="id", label=N_("No."), narrow="c-2"),
        Column(name="kind", label=N_("Work"), form="own"),
        Column(name="state", label=N_("State"), form="own"),
        Column(name="detail", label=N_("What exactly"), form="own", narrow="c-1"),
        Column(name="done", label=N_("Done so far")),
        Column(name="total", label=N_("Of"), narrow="c-1"),
        Column(name="asked_by", label=N_("Asked by"), form="own", narrow="c-1"),
        Column(name="asked_at", label=N_("Begun")),
        Column(name="finished_at", label=N_("Finished"), narrow="c-2"),
        Column(name="last_error", label=N_("Reason"), form="own", sorts_by=(), narrow="c-1"),
    ),
    filters=(
        Filter(name="kind", label=N_("Work"), find_choices=kinds, width="wide"),
        Filter(name="state", label=N_("State"), choices={key: words for key, (_, words) in STATES.items()}),
        Filter(name="subject", label=N_("Subject")),
    ),
    empty=Empty(
        title=N_("No long work yet"),
        text=N_(
            "What takes minutes or hours stands here, with its progress: comparing the index with Orthanc, reading or "
            "deciding doses again, applying a rule to the archive, bringing studies back, large files."
        ),
        filtered=N_("No long work of this kind"),
    ),
    template="works/works.html",
    extras=extras,
)
