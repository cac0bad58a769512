"""The tables of what a site says of devices' character sets."""

from __future__ import annotations

from treegarth.database.metadata import metadata
from treegarth.documents.tables import document_tables

character_set, character_set_version = document_tables(metadata, "character_set")
