"""What somebody else made of a rule while it was being edited."""

from __future__ import annotations

from treegarth.documents.differences import Newer, difference
from treegarth.features.rules.pages.draft import document_text
from treegarth.features.rules.store.rules import StoredRule
from treegarth.features.rules.text import WrittenRule


def newer_version(stored: StoredRule, written: WrittenRule) -> Newer:
    """The rule as it is kept, against what was to be saved in its place."""
    return Newer(
        version=stored.version,
        changed_by=stored.changed_by,
        changed_at=stored.changed_at,
        lines=difference(document_text(stored.document), document_text(written.document)),
    )
