"""Whether the parts of Treegarth are well, in words: the host's own figures as findings. Never waits."""

from __future__ import annotations

from treegarth.dicom.depth import DEEPEST_NESTING
from treegarth.phrases import N_
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check, ngettext_for, translated
from treegarth.web.services import HostStatus

QUEUE_IS_LONG = 1000  # instances; at the rate of indexing this is a second or two


def host_checks(call: AnyCall) -> list[Check]:
    """Database, indexing and workers, and what was refused."""
    status = call.services.host.figures()
    found = [_database(call, status), _indexing(call, status), _workers(call, status), *_traps(call, status)]
    return [*found, _refused(call, status)] if status.refused_nested else found


def _database(call: AnyCall, status: HostStatus) -> Check:
    name = translated(call, N_("Database"))
    if status.database_state == "up":
        return Check(kind="ok", name=name, words=translated(call, N_("answers")))
    if status.database_state == "starting":
        return Check(kind="waiting", name=name, words=translated(call, N_("is starting")))
    advice = N_(
        "Orthanc keeps storing, nothing is lost. See that PostgreSQL runs and has space; the index then catches up."
    )
    return Check(
        kind="failed", name=name, words=translated(call, N_("does not answer")), advice=translated(call, advice)
    )


def _indexing(call: AnyCall, status: HostStatus) -> Check:
    name = translated(call, N_("Indexing"))
    if not status.indexer_alive:
        advice = N_(
            "It is started again by itself; what arrives meanwhile is indexed then. If this stays, read Orthanc's log."
        )
        words = translated(call, N_("the indexer is not running"))
        starting = status.database_state == "starting"
        return Check(
            kind="waiting" if starting else "attention", name=name, words=words, advice=translated(call, advice)
        )
    if status.pending == 0:
        return Check(kind="ok", name=name, words=translated(call, N_("everything is indexed")))
    words = ngettext_for(call, "%(num)s instance waits", "%(num)s instances wait", status.pending)
    return Check(kind="attention" if status.pending > QUEUE_IS_LONG else "waiting", name=name, words=words)


def _workers(call: AnyCall, status: HostStatus) -> Check:
    name = translated(call, N_("Workers"))
    alive = sum(worker.alive for worker in status.workers)
    if not status.workers:
        elsewhere = call.services.settings.workers == 0
        words = N_("run elsewhere") if elsewhere else N_("are starting")
        return Check(kind="unknown" if elsewhere else "waiting", name=name, words=translated(call, words))
    if alive == len(status.workers):
        return Check(kind="ok", name=name, words=ngettext_for(call, "%(num)s running", "%(num)s running", alive))
    advice = N_("Each is started again by itself. If this stays, read Orthanc's log.")
    words = translated(call, N_("%(alive)s of %(all)s running"), alive=alive, all=len(status.workers))
    return Check(kind="attention", name=name, words=words, advice=translated(call, advice))


def _refused(call: AnyCall, status: HostStatus) -> Check:
    words = ngettext_for(
        call, "%(num)s object was refused since the start", "%(num)s objects were refused since the start",
        status.refused_nested,
    )  # fmt: skip
    advice = N_(
        "Nested deeper than %(limit)s, which would stop Orthanc. The sender was told (0xC000); Orthanc's log names it."
    )
    return Check(
        kind="attention",
        name=translated(call, N_("Refused objects")),
        words=words,
        advice=translated(call, advice, limit=DEEPEST_NESTING),
    )


def _traps(call: AnyCall, status: HostStatus) -> list[Check]:
    return [
        Check(
            kind="attention" if trap.state == "warning" else "failed",
            name=translated(call, trap.name),
            words=translated(call, trap.sentence, **trap.values),
        )
        for trap in status.self_check
        if trap.state != "ok"
    ]
