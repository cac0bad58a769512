"""The form of a rule: build it step by step, as form or as text, try it, save it. Every button is a plain POST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import Response

from treegarth.access.actors import Permission
from treegarth.conditions.action import Problem
from treegarth.conditions.occurrence import unseen
from treegarth.documents.differences import Newer, newer_than, version_of
from treegarth.documents.language import author_of
from treegarth.documents.pages import said_of, wrong_at
from treegarth.documents.store import EditedMeanwhile
from treegarth.documents.yaml_text import UnreadableYaml
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.rules.pages.action_fields import kind_named, shown_actions
from treegarth.features.rules.pages.draft import (
    CannotBeShown,
    Draft,
    acted,
    document_text,
    draft_of_document,
    form_document,
    read_draft,
    text_document,
)
from treegarth.features.rules.pages.parts import RulePages
from treegarth.features.rules.pages.trial import Tried, tried_studies
from treegarth.features.rules.paths import RulePath
from treegarth.features.rules.service.editor import save_rule
from treegarth.features.rules.text import WrittenRule, parse_asked, parse_rule, parse_rules
from treegarth.features.rules.words import TRIGGERS
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.condition_form import condition_inputs, values_named
from treegarth.web.condition_tree import Group, Row, path_of_place
from treegarth.web.endpoints import route
from treegarth.web.forms import Fault
from treegarth.web.parts import reason_of
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave

STUDIES_TRIED = 8
LABELS = {
    "name": (N_("Name"), "name"),
    "why": (N_("Why"), "why"),
    "when": (N_("When it looks"), "part-when"),
    "schedule": (N_("At what times"), "schedule"),
}
"""What a problem is said of above the form, and the input that it is about."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the form is to say beside the draft."""

    problems: Sequence[Problem] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    general: Sequence[str] = ()
    tried: Tried | None = None
    newer: Newer | None = None


def routes() -> list[Route]:
    return [
        route(
            name="rules.new_page",
            path="/treegarth/rules/new",
            permission=Permission.RUN_RULES,
            handler=new_page,
            summary="A new rule, as form or as text.",
        ),
        route(
            name="rules.create_page",
            path="/treegarth/rules/new",
            method="POST",
            permission=Permission.RUN_RULES,
            handler=create_page,
            summary="Change the form of a new rule, try it, or save it.",
        ),
        route(
            name="rules.edit_page",
            path="/treegarth/rules/{rule_id}/edit",
            permission=Permission.RUN_RULES,
            handler=edit_page,
            summary="A rule to edit, as form or as text.",
        ),
        route(
            name="rules.change_page",
            path="/treegarth/rules/{rule_id}/edit",
            method="POST",
            permission=Permission.RUN_RULES,
            handler=change_page,
            summary="Change the form of a rule, try it, or save it.",
        ),
    ]


def edit_page(call: Call[None, None, RulePath]) -> Response:
    pages = call.part(RulePages)
    with call.connect() as connection:
        stored = pages.acting(connection, call.path.rule_id).stored
    try:
        draft = draft_of_document(stored.document, pages.form)
    except CannotBeShown:
        draft = Draft(tab="text")
    text = stored.source if stored.source is not None else document_text(stored.document)
    return _render(call, pages, replace(draft, text=text), stored.id, Shown())


def new_page(call: Call[None, None, None]) -> Response:
    return _render(call, call.part(RulePages), _blank(), None, Shown())


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, RulePath]) -> Response:
    return _posted(call, call.path.rule_id)


def _blank() -> Draft:
    return Draft(condition=Group(parts=(Row(),)))


def _posted(call: AnyCall, rule_id: int | None) -> Response:
    pages = call.part(RulePages)
    draft = read_draft(call.http.form, pages.form)
    act = call.http.form.get("act", "")
    over = act.removeprefix("save over ") if act.startswith("save over ") else None
    act = act if over is None else "save"
    try:
        draft = acted(draft, act, pages.form)
        if act not in ("save", "try"):
            return _render(call, pages, draft, rule_id, Shown())
        if act == "try":
            return _try(call, pages, draft, rule_id)
        return _save(call, pages, draft, rule_id, _written(draft, pages), over)
    except CannotBeShown as error:
        return _render(call, pages, draft, rule_id, Shown(general=[reason_of(call, error)]))
    except UnreadableYaml as error:
        return _render(call, pages, draft, rule_id, Shown(general=[reason_of(call, error)]))
    except DocumentRefused as error:
        return _render(call, pages, draft, rule_id, Shown(problems=error.problems, paths=_paths(draft, pages)))


def _written(draft: Draft, pages: RulePages) -> WrittenRule:
    """The rule that the form or the text means. Raises DocumentRefused, UnreadableYaml, CannotBeShown."""
    if draft.tab == "form":
        return parse_rule(form_document(draft, pages.form).document, pages.book.language)
    rules = parse_rules(draft.text, pages.book.language)
    if len(rules) != 1:
        raise CannotBeShown(N_("Write one rule here; several are imported from the list of rules."))
    return rules[0]


def _paths(draft: Draft, pages: RulePages) -> Mapping[str, str]:
    return form_document(draft, pages.form).paths if draft.tab == "form" else {}


def _try(call: AnyCall, pages: RulePages, draft: Draft, rule_id: int | None) -> Response:
    """Needs what the rule asks alone: neither a name nor an action."""
    document = form_document(draft, pages.form).document if draft.tab == "form" else text_document(draft.text)
    asked = parse_asked(document, pages.book.language)
    with call.connect() as connection:
        tried = tried_studies(call, connection, pages, asked, author_of(call).now, rule_id, STUDIES_TRIED)
    return _render(call, pages, draft, rule_id, Shown(tried=tried))


def _save(
    call: AnyCall, pages: RulePages, draft: Draft, rule_id: int | None, written: WrittenRule, over: str | None
) -> Response:
    """`over`: the newer version that the author has seen, and wants to replace all the same."""
    since = version_of(call.http.form.get("version", "") if over is None else over)
    try:
        with call.begin() as connection:
            saved = save_rule(connection, rule_id, written, author_of(call), since=since).id
    except EditedMeanwhile as error:
        return _render(call, pages, draft, rule_id, Shown(newer=newer_than(error)))
    except DocumentRefused as error:
        return _render(call, pages, draft, rule_id, Shown(problems=error.problems, paths=_paths(draft, pages)))
    except RequestConflict as error:
        problem = Problem(place="rule.name", wrong=reason_of(call, error))
        return _render(call, pages, draft, rule_id, Shown(problems=[problem], paths=_paths(draft, pages)))
    return leave(call, call.site.url("rules.rule_page", rule_id=saved))


def _render(call: AnyCall, pages: RulePages, draft: Draft, rule_id: int | None, shown: Shown) -> Response:
    placed = _placed(call, shown, draft)
    conditions, vocabulary = pages.form.conditions, pages.book.language.vocabulary
    with call.connect() as connection:
        sources = pages.sources(connection)
        named = values_named(draft.condition, conditions) if draft.tab == "form" else ()
        unseen_values = unseen(connection, vocabulary, named, author_of(call).now)
        stored = pages.acting(connection, rule_id).stored if rule_id is not None else None
    address, leave = call.site.url("rules.create_page"), call.site.url("rules.rules_page")
    if rule_id is not None:
        address = call.site.url("rules.change_page", rule_id=rule_id)
        leave = call.site.url("rules.rule_page", rule_id=rule_id)
    return render_page(
        call,
        "rules/form.html",
        name=stored.name if stored else None,
        address=address,
        leave=leave,
        draft=draft,
        is_new=stored is None,
        is_adding_condition=call.http.form.get("act", "").startswith(("add-row", "add-group")),
        version=version_of(call.http.form.get("version", "")) or (stored.version if stored else ""),
        newer=shown.newer,
        is_on=stored is not None and stored.is_on,
        problems=placed,
        faults=_faults(placed, draft, pages),
        tried=shown.tried,
        triggers=TRIGGERS,
        condition=conditions.shown(draft.condition, placed, unseen_values),
        actions=shown_actions(draft.actions, pages.actions, sources, placed),
        action_kinds=pages.actions,
        levels=conditions.levels,
    )


def _placed(call: AnyCall, shown: Shown, draft: Draft) -> dict[str, list[str]]:
    """The problems by the form's field; those of no field, and of a text with their lines, under an empty name."""
    placed: dict[str, list[str]] = {"": list(shown.general)} if shown.general else {}
    problems = [
        one._replace(place=one.place.removeprefix("rules[0]").removeprefix("rule").lstrip("."))
        for one in shown.problems
    ]
    for wrong in wrong_at(call, draft.text if draft.tab == "text" else "", problems):
        path = path_of_place(shown.paths, wrong.place)
        placed.setdefault(path or "", []).append(wrong.words if path else said_of(call, wrong))
    return placed


def _faults(placed: Mapping[str, Sequence[str]], draft: Draft, pages: RulePages) -> list[Fault]:
    """The same as the list above the form has them, in its order."""
    inputs = {"": ("", ""), **LABELS, **condition_inputs(draft.condition), "do": (N_("What it does"), "part-do")}
    for index, row in enumerate(draft.actions):
        kind = kind_named(row.name, pages.actions)
        inputs[f"a.{index}"] = (kind.label if kind else row.name, f"a.{index}")
    return [Fault(said, *inputs[path]) for path in inputs for said in placed.get(path, ())]
