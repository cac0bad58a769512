"""How far a long work is, as any page shows it: bar, figures, who asked, its buttons and its file."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

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


def work_part(call: AnyCall, work: LongWork) -> Markup:
    """Its state; a page that shows one which runs renews itself."""
    kind = call.part(WorkKinds).named(work.kind)
    values = {"work": work, "kind": kind, "states": STATES, "may_act": call.actor.may(kind.permission)}
    return render_part(call, "works/state.html", **values)


def work_section(
    call: AnyCall,
    kind: WorkKind,
    work: LongWork | None,
    *,
    start: str,
    label: str,
    ahead: tuple[int, float] | None = None,
) -> Markup:
    """A section of a page about a kind of which one runs at a time: the latest, and the button that starts another by a
    POST to `start`. `label` is a msgid; `ahead` is how much another one has to do, and about how many seconds long."""
    progress = None if work is None else work_part(call, work)
    values = {"kind": kind, "work": work, "progress": progress, "start": start, "label": label, "ahead": ahead}
    return render_part(call, "works/section.html", **values)
