"""What the endpoints of every kind of documents take and answer. Models only."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from treegarth.documents.importing import Imported
from treegarth.documents.store import Version
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.web.routes import Answer, AnyText, Identifier, Parameters


class DocumentsQuery(Parameters):
    """Which documents."""

    removed: bool = False
    """Also those that were removed."""


class DocumentBody(Parameters):
    """A new document."""

    document: dict[str, Any]
    """As its text form has it."""


class EditBody(DocumentBody):
    """Another wording of a document."""

    version: Identifier
    """The version that was read before. Status 409 if somebody else worded it anew since."""


class StateBody(Parameters):
    """On or off."""

    is_on: bool
    """Whether it acts."""


class OrderedStateBody(Parameters):
    """What to change of a document's state; what is not given stays."""

    is_on: bool | None = None
    """Whether it acts."""
    place: Identifier | None = None
    """Its place in the order, from 1."""


class TextBody(Parameters):
    """Documents as YAML."""

    text: AnyText = Field(max_length=LARGEST_BYTES)
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
