"""The archive's index: what is in Orthanc, findable in PostgreSQL."""

from treegarth.features.archive.ingest.batch import Follower
from treegarth.features.archive.ingest.run import run_indexer
from treegarth.features.archive.model import IndexedInstance, Origin
from treegarth.features.archive.store.reconciling import count_instances
from treegarth.features.archive.store.searching import is_indexed

__all__ = ["Follower", "IndexedInstance", "Origin", "count_instances", "is_indexed", "run_indexer"]
