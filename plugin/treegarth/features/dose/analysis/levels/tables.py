"""Sets of reference levels and every version of them. Tables only."""

from __future__ import annotations

from treegarth.database.metadata import metadata
from treegarth.documents.tables import document_tables

reference_level_set, reference_level_set_version = document_tables(metadata, "reference_level_set")
