"""Charts that people keep, as documents with every version. Tables only."""

from __future__ import annotations

from treegarth.database.metadata import metadata
from treegarth.documents.tables import document_tables

dose_chart, dose_chart_version = document_tables(metadata, "dose_chart")
