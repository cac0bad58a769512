"""Whether the parts of Treegarth are well, in words: the host's own figures as findings. Never waits."""

from __future__ import annotations

from treegarth.dicom.depth import DEEPEST_NESTING
from treegarth.phrases import NN_, P_, Phrase
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check, State
from treegarth.web.services import HostStatus

QUEUE_IS_LONG = 1000  # instances; at the rate of indexing this is a second or two


def host_checks(call: AnyCall) -> list[Check]:
    """Database, indexing and workers, and what was refused."""
    status = call.services.host.figures()
    is_elsewhere = call.services.settings.workers == 0
    found = [_database(status), _indexing(status), _workers(status, is_elsewhere), *_traps(status)]
    return [*found, _refused(status)] if status.refused_nested else found


def _database(status: HostStatus) -> Check:
    name = P_("Database")
    if status.database_state == "up":
        return Check(kind="ok", name=name, words=P_("answers"))
    if status.database_state == "starting":
        return Check(kind="waiting", name=name, words=P_("is starting"))
    advice = P_(
        "Orthanc keeps storing, nothing is lost. See that PostgreSQL runs and has space; the index then catches up."
    )
    return Check(kind="failed", name=name, words=P_("does not answer"), advice=advice)


def _indexing(status: HostStatus) -> Check:
    name = P_("Indexing")
    if not status.indexer_alive:
        advice = P_(
            "It is started again by itself; what arrives meanwhile is indexed then. If this stays, read Orthanc's log."
        )
        starting = status.database_state == "starting"
        kind: State = "waiting" if starting else "attention"
        return Check(kind=kind, name=name, words=P_("the indexer is not running"), advice=advice)
    if status.pending == 0:
        return Check(kind="ok", name=name, words=P_("everything is indexed"))
    words = NN_("%(num)s instance waits", "%(num)s instances wait")
    kind = "attention" if status.pending > QUEUE_IS_LONG else "waiting"
    return Check(kind=kind, name=name, words=words, count=status.pending)


def _workers(status: HostStatus, is_elsewhere: bool) -> Check:
    name = P_("Workers")
    alive = sum(worker.alive for worker in status.workers)
    if not status.workers:
        if is_elsewhere:
            return Check(kind="elsewhere", name=name, words=P_("run elsewhere"))
        return Check(kind="waiting", name=name, words=P_("are starting"))
    if alive == len(status.workers):
        return Check(kind="ok", name=name, words=NN_("%(num)s running", "%(num)s running"), count=alive)
    advice = P_("Each is started again by itself. If this stays, read Orthanc's log.")
    words = P_("%(alive)s of %(all)s running", alive=alive, all=len(status.workers))
    return Check(kind="attention", name=name, words=words, advice=advice)


def _refused(status: HostStatus) -> Check:
    return Check(
        kind="attention",
        name=P_("Refused objects"),
        words=NN_("%(num)s object was refused since the start", "%(num)s objects were refused since the start"),
        count=status.refused_nested,
        advice=P_(
            "Nested deeper than %(limit)s, which would stop Orthanc. The sender was told (0xC000); Orthanc's log names "
            "it.",
            limit=DEEPEST_NESTING,
        ),
    )


def _traps(status: HostStatus) -> list[Check]:
    return [
        Check(
            kind="attention" if trap.state == "warning" else "failed",
            name=Phrase(trap.name),
            words=trap.sentence,
        )
        for trap in status.self_check
        if trap.state != "ok"
    ]
