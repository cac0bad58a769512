"""A rule while it is being edited: what the form or the text says, right or not yet. Pure.

Both tabs are faces of one document. Switching keeps what was typed: the text as it was typed comes back as long as the
form says the same as it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from treegarth.documents.yaml_text import UnreadableYaml, dump, read_pieces
from treegarth.errors import InvalidRequest
from treegarth.features.rules.pages.action_fields import (
    ActionKind,
    ActionRow,
    read_action,
    read_action_row,
    write_action,
)
from treegarth.phrases import P_
from treegarth.web.condition_form import ConditionForm
from treegarth.web.condition_form import acted as condition_acted
from treegarth.web.condition_tree import Group, Row, read_group, write_group
from treegarth.web.forms import SentFields

MOST_ACTIONS = 100
KNOWN_KEYS = ("name", "why", "when", "schedule", "if", "do", "on")
_ACTION = re.compile(r"a\.([0-9]{1,4})\.")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What stands in the form."""

    tab: Literal["form", "text"] = "form"
    name: str = ""
    why: str = ""
    trigger: str = "study stable"
    schedule: str = ""
    condition: Group = field(default_factory=lambda: Group(parts=(Row(),)))
    actions: tuple[ActionRow, ...] = ()
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftDocument:
    """A draft as a document, and the form's field of each place in it."""

    document: dict[str, Any]
    paths: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the form knows beside what is typed into it."""

    conditions: ConditionForm
    actions: Sequence[ActionKind]


class CannotBeShown(ValueError):
    """The text is not one that the form can show."""


# ---- what was sent ----


def read_draft(fields: SentFields, form: Form) -> Draft:
    """The draft of a form that was sent. Raises ConditionRefused for more or deeper parts than a condition may have,
    InvalidRequest for more actions than are shown; nothing else of what is sent makes it fail."""
    indexes = sorted({int(found[1]) for key in fields if (found := _ACTION.match(key))})
    if len(indexes) > MOST_ACTIONS:
        raise InvalidRequest(P_("The form takes at most %(most)s actions.", most=MOST_ACTIONS))
    return Draft(
        tab="text" if fields.get("tab", "") == "text" else "form",
        name=fields.get("name", "").strip(),
        why=fields.get("why", "").strip(),
        trigger=fields.get("when", "study stable"),
        schedule=fields.get("schedule", "").strip(),
        condition=form.conditions.read(fields),
        actions=tuple(read_action_row(fields, index, form.actions) for index in indexes),
        text=fields.get("text", "").replace("\r\n", "\n"),
    )


# ---- what a button does ----


def acted(draft: Draft, act: str, form: Form) -> Draft:
    """The draft after a button that changes the form. Raises CannotBeShown where the text cannot become a form."""
    what, _, rest = act.partition(" ")
    if what == "add-action" and rest in {kind.name for kind in form.actions}:
        return replace(draft, actions=(*draft.actions, ActionRow(name=rest)))
    if what == "remove-action":
        return replace(draft, actions=tuple(row for index, row in enumerate(draft.actions) if str(index) != rest))
    if what == "show-text" and draft.tab == "form":
        return replace(draft, tab="text", text=text_of(draft, form))
    if what == "show-form" and draft.tab == "text":
        return draft_of_text(draft.text, form)
    return replace(draft, condition=condition_acted(draft.condition, act))


# ---- the two faces ----


def form_document(draft: Draft, form: Form) -> DraftDocument:
    """What the form's fields say, as a document. Raises CannotBeShown where an action's own text is no YAML."""
    written = write_group(draft.condition, form.conditions.kind_of)
    document: dict[str, Any] = {"name": draft.name}
    if draft.why:
        document["why"] = draft.why
    document["when"] = draft.trigger
    if draft.trigger == "schedule":
        document["schedule"] = draft.schedule
    document["if"] = written.document
    try:
        document["do"] = [write_action(row, form.actions) for row in draft.actions]
    except ValueError as error:
        raise CannotBeShown(error.args[0]) from error
    paths = {"name": "name", "why": "why", "when": "when", "schedule": "schedule", "do": "do", **written.paths}
    paths.update({f"do[{index}]": f"a.{index}" for index in range(len(draft.actions))})
    return DraftDocument(document=document, paths=paths)


def text_document(text: str) -> dict[str, Any]:
    """The one rule of a text. Raises CannotBeShown."""
    try:
        pieces = read_pieces(text)
    except UnreadableYaml as error:
        raise CannotBeShown(error.args[0]) from error
    loaded = pieces[0].value if len(pieces) == 1 else None
    if not isinstance(loaded, dict):
        raise CannotBeShown(P_("a rule is written as name:, why:, when:, if:, do:"))
    return loaded


def text_of(draft: Draft, form: Form) -> str:
    """The form as text: as it was typed, where it still says the same."""
    document = form_document(draft, form).document
    try:
        if draft.text and _same(document, form_document(draft_of_text(draft.text, form), form).document):
            return draft.text
    except CannotBeShown:
        pass  # what was typed before is no rule: the form's is
    return document_text(document)


def document_text(document: Mapping[str, Any]) -> str:
    """A rule's document as YAML."""
    return dump(dict(document))


def draft_of_text(text: str, form: Form) -> Draft:
    """The form of a text. Raises CannotBeShown where it has what the form has no place for."""
    return replace(draft_of_document(text_document(text), form), text=text)


def draft_of_document(document: Mapping[str, Any], form: Form) -> Draft:
    """The form of a rule's document. Raises CannotBeShown."""
    unknown = [str(key) for key in document if key not in KNOWN_KEYS]
    if unknown:
        known = ", ".join(KNOWN_KEYS)
        raise CannotBeShown(P_("%(names)s: not known; known are %(known)s", names=", ".join(unknown), known=known))
    actions = document.get("do") or []
    try:
        return Draft(
            name=str(document.get("name") or ""),
            why=str(document.get("why") or ""),
            trigger=str(document.get("when") or "study stable"),
            schedule=str(document.get("schedule") or ""),
            condition=read_group(document.get("if") or {"all": []}, form.conditions.read_comparison),
            actions=tuple(
                read_action(one, form.actions) for one in (actions if isinstance(actions, list) else [actions])
            ),
        )
    except ValueError as error:
        raise CannotBeShown(error.args[0]) from error


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return dict(one) == dict(other)
