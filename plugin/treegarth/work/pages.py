"""How far a long work is, as any page shows it: bar, figures, who asked, its buttons and its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup
from sqlalchemy import Connection

from treegarth.index.names import StudyName, name_studies
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_
from treegarth.web.call import AnyCall
from treegarth.web.parts import State as Sign
from treegarth.web.parts import render_part
from treegarth.work.kinds import WorkKind, WorkKinds
from treegarth.work.store import LongWork

PAGE = "works.work_page"
STATES: Mapping[str, tuple[Sign, str]] = {
    "running": ("busy", N_("running")),
    "done": ("ok", N_("done")),
    "partly": ("attention", N_("partly done")),
    "failed": ("failed", N_("failed")),
    "stopped": ("stopped", N_("stopped")),
}


def work_part(call: AnyCall, work: LongWork, connection: Connection | None = None) -> Markup:
    """Its state; a page that shows one which runs renews itself. With a connection it says whose study it is about."""
    kind = call.part(WorkKinds).named(work.kind)
    studies = whose(connection, call.part(WorkKinds), [work]) if connection is not None else {}
    values = {"work": work, "kind": kind, "states": STATES, "may_act": call.actor.may(kind.permission)}
    return render_part(call, "works/state.html", **values, name=studies.get(work.id))


def whose(connection: Connection, kinds: WorkKinds, works: Iterable[LongWork]) -> dict[int, StudyName]:
    """Of the works that are about a study, by their number, whose it is."""
    about = [one for one in works if one.subject and kinds.is_about_a_study(one.kind)]
    names = name_studies(connection, [StudyKey(orthanc_study_id=one.subject, study_instance_uid="") for one in about])
    return {one.id: names[one.subject] for one in about if one.subject in names}


def work_section(
    call: AnyCall,
    kind: WorkKind,
    work: LongWork | None,
    *,
    start: str,
    label: str,
    ahead: tuple[int, float] | None = None,
    results: tuple[str, str] | None = None,
) -> Markup:
    """A section of a page about a kind of which one runs at a time: the latest, and the button that starts another by a
    POST to `start`. `label` is a msgid; `ahead` is how much another one has to do, and about how many seconds long;
    `results` are the address and the name (a msgid) of the page of what it found."""
    progress = None if work is None else work_part(call, work)
    values = {"kind": kind, "work": work, "progress": progress, "start": start, "label": label}
    return render_part(call, "works/section.html", **values, ahead=ahead, results=results)
