"""The archive's index: what is in Orthanc, findable in PostgreSQL."""

from treegarth.features.archive.ingest.batch import Departures, Follower
from treegarth.features.archive.ingest.run import run_indexer
from treegarth.features.archive.model import IndexedInstance, Origin, RemovedInstance
from treegarth.features.archive.stability import Stable, decide_stable
from treegarth.features.archive.store.mending import count_stale
from treegarth.features.archive.store.parents import note_pruned
from treegarth.features.archive.store.reconciling import count_instances
from treegarth.features.archive.tasks import blueprint

__all__ = [
    "Departures",
    "Follower",
    "IndexedInstance",
    "Origin",
    "RemovedInstance",
    "Stable",
    "blueprint",
    "count_instances",
    "count_stale",
    "decide_stable",
    "note_pruned",
    "run_indexer",
]
