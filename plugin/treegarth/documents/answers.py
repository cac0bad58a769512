"""What the endpoints of every kind of documents take and answer. Models only."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from treegarth.documents.importing import Imported
from treegarth.documents.store import Version
from treegarth.web.routes import Answer, AnyText, Identifier, Parameters

LONGEST_TEXT = 500_000


class DocumentBody(Parameters):
    """A new document."""

    document: dict[str, Any]
    """As its text form has it."""


class EditBody(DocumentBody):
    """Another wording of a document."""

    version: Identifier
    """The version that was read before. Status 409 if somebody else worded it anew since."""


class TextBody(Parameters):
    """Documents as YAML."""

    text: AnyText = Field(max_length=LONGEST_TEXT)
    """A list of them, or one. Those whose name is known are worded anew; the others are made."""
    dry_run: bool = False
    """Only say what would change."""


class TextAnswer(Answer):
    """Every document as YAML."""

    text: str


class VersionList(Answer):
    """Every version, the latest first."""

    items: list[Version]


class ImportOutcome(Answer):
    """What an import changed, or would."""

    dry_run: bool
    items: list[Imported]
