"""The editor of a policy: as a form or as text, what is wrong at its place, and beside it what it would delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.conditions.occurrence import unseen
from treegarth.documents.differences import Newer, as_text, newer_than, version_of
from treegarth.documents.pages import one_document, problems_of, said_of, wrong_at, wrong_in
from treegarth.documents.store import EditedMeanwhile
from treegarth.errors import InvalidRequest, Problem, RequestConflict
from treegarth.features.retention import service
from treegarth.features.retention.pages.policy_form import (
    EXAMPLES,
    KEPT,
    KEPT_LEVELS,
    PLACES,
    CannotBeShown,
    Draft,
    Example,
    PolicyFields,
    after_button,
    blank,
    form_document,
    form_of_document,
    read_draft,
)
from treegarth.features.retention.pages.preview import ShownPreview, look_ahead
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.policies import POLICY_DOCUMENTS
from treegarth.features.retention.policy_text import KEYS
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store.policies import POLICIES
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.condition_form import ConditionForm, condition_inputs, values_named
from treegarth.web.condition_tree import path_of_place
from treegarth.web.endpoints import route
from treegarth.web.forms import form_of
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave

HELP = {
    "name": N_("what it is called, and the sentence that says why (`why`)"),
    "if": N_("which studies, in the language of conditions; without: every study"),
    "keep": N_("`nothing`, `dose and one image per series`, `{series: condition}` or `{instance: condition}` stays"),
    "after": N_("an age: `90 days since received`, `2 years since study date`, `1 year since last use`"),
    "space": N_("`{high: 800 GB, low: 700 GB}`: the least used go, from the high mark to the low one"),
    "proof": N_("`{at: DESTINATION, within: 1 day}`, a list of these, or `none`: the only copy may go"),
    "minimum age": N_("nothing that arrived later is touched; 7 days if not given"),
    "grace": N_("how long objects stay marked, and can be rescued, before they are deleted; 7 days if not given"),
    "hours": N_("deletes only then, such as `22:00-06:00`, in the time of this site"),
    "rate": N_("objects a minute at most; 600 if not given"),
    "ask twice above": N_("a larger share of the archive is deleted only with the number typed; `10 %` if not given"),
}


OTHERS = {"proof": (N_("Proof"), "proof-demands"), "only_copy": (N_("The only copy may go"), "only_copy")}
"""What the template draws itself."""


class NewQuery(Parameters):
    """What the form begins with."""

    example: Example | None = None
    """One of the examples; else it is empty."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is said beside the draft."""

    problems: Sequence[Problem] = ()
    ahead: ShownPreview | None = None
    missing: Sequence[str] = ()  # what keeps the preview from being made
    newer: Newer | None = None
    asks_only_copy: bool = False


def routes() -> list[Route]:
    new, edit = "/treegarth/retention/policies/new", "/treegarth/retention/policies/{policy_id}/edit"
    write: dict[str, Any] = {"permission": Permission.PRUNE}
    return [
        route(
            name="retention.new_page",
            path=new,
            handler=new_page,
            summary="A new policy, from an example.",
            **write,
        ),
        route(
            name="retention.create_page",
            path=new,
            method="POST",
            handler=create_page,
            summary="See what a new policy would delete, or save it.",
            **write,
        ),
        route(
            name="retention.edit_page",
            path=edit,
            handler=edit_page,
            summary="A policy to edit.",
            **write,
        ),
        route(
            name="retention.change_page",
            path=edit,
            method="POST",
            handler=change_page,
            summary="See what the changed policy would delete, or save it.",
            **write,
        ),
    ]


def edit_page(call: Call[None, None, PolicyPath]) -> Response:
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        stored = POLICIES.read(connection, call.path.policy_id)
    return _render(call, _draft(language, stored.document), stored.id, Shown())


def new_page(call: Call[NewQuery, None, None]) -> Response:
    if call.query.example is None:
        return _render(call, blank(), None, Shown())
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        names = language.destination_names(connection)
    proof = {"at": names[0] if names else "", "within": "1 day"}
    return _render(call, _draft(language, {**EXAMPLES[call.query.example][2], "proof": proof}), None, Shown())


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, PolicyPath]) -> Response:
    return _posted(call, call.path.policy_id)


def _draft(language: PolicyLanguage, document: Mapping[str, Any]) -> Draft:
    """The form of a document, or its text where the form has no place for what it says."""
    try:
        return form_of_document(document, _conditions(language))
    except CannotBeShown:
        return replace(blank(), tab="text", text=as_text(document))


def _conditions(language: PolicyLanguage) -> ConditionForm:
    return ConditionForm(language.vocabulary())


def _posted(call: AnyCall, policy_id: int | None) -> Response:
    language, act = call.part(PolicyLanguage), call.http.form.get("act", "")
    draft = read_draft(call.http.form, _conditions(language))
    try:
        if act == "look":
            return _looked(call, language, draft, policy_id)
        if act == "show-text" and draft.tab == "form":
            return _render(call, replace(draft, tab="text", text=_text(language, draft)), policy_id, Shown())
        if act == "show-form" and draft.tab == "text":
            shown = form_of_document(_document(language, draft), _conditions(language))
            return _render(call, replace(shown, text=draft.text), policy_id, Shown())
        if act != "save" and not act.startswith("save over "):
            return _render(call, after_button(draft, act), policy_id, Shown())
        return _saved(call, language, draft, policy_id)
    except (InvalidRequest, RequestConflict) as error:
        return _render(call, draft, policy_id, Shown(problems=problems_of(error)))
    except CannotBeShown as error:
        return _render(call, draft, policy_id, Shown(problems=[Problem("", error.args[0])]))


def _saved(call: AnyCall, language: PolicyLanguage, draft: Draft, policy_id: int | None) -> Response:
    form, document = call.http.form, _document(language, draft)
    since = version_of(form["act"].removeprefix("save over ") if form["act"] != "save" else form.get("version", ""))
    if not language.parse(document, "document").proofs and not draft.knows_only_copy:
        problem = Problem("document.only copy", P_("Say once more that the only copy may go, or ask for a proof."))
        return _render(call, draft, policy_id, Shown(problems=[problem], asks_only_copy=True))
    try:
        with call.begin() as connection:
            if policy_id is None:
                stored = POLICY_DOCUMENTS.create(call, connection, document)
            else:
                stored = POLICY_DOCUMENTS.edit(call, connection, policy_id, document, since=since)
    except EditedMeanwhile as error:
        return _render(call, draft, policy_id, Shown(newer=newer_than(error)))
    return leave(call, call.site.url("retention.policy_page", policy_id=stored.id))


def _looked(call: AnyCall, language: PolicyLanguage, draft: Draft, policy_id: int | None) -> Response:
    """What it would delete needs neither its name nor the reason."""
    try:
        named = {"name": "-", "why": "-", **{key: value for key, value in _document(language, draft).items() if value}}
        with call.connect() as connection:
            policy = language.parse_known(connection, named, "document")
            ahead = look_ahead(call, connection, language, service.unsaved(policy), between=())
    except InvalidRequest as error:
        missing = [said_of(call, one) for one in wrong_in(call, draft.shown_text, error)]
        return _render(call, draft, policy_id, Shown(missing=missing))
    return _render(call, draft, policy_id, Shown(ahead=ahead))


def _document(language: PolicyLanguage, draft: Draft) -> Mapping[str, Any]:
    """Raises InvalidRequest where the text is no YAML or not one policy."""
    if draft.tab == "form":
        return form_document(draft, _conditions(language))[0]
    document = one_document(draft.text)
    if not isinstance(document, Mapping):
        raise InvalidRequest(P_("This is no policy."))
    return document


def _text(language: PolicyLanguage, draft: Draft) -> str:
    """The form as text: as it was typed before, where it still says the same."""
    document, conditions = form_document(draft, _conditions(language))[0], _conditions(language)
    try:
        before = form_of_document(_document(language, replace(draft, tab="text")), conditions)
        if draft.text and form_document(before, conditions)[0] == document:
            return draft.text
    except (CannotBeShown, InvalidRequest):
        pass  # what was typed before is no policy: the form's is
    return as_text(document)


def _render(call: AnyCall, draft: Draft, policy_id: int | None, shown: Shown) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    language = call.part(PolicyLanguage)
    conditions, site = _conditions(language), call.site
    address, leave = site.url("retention.create_page"), site.url("retention.policies_page")
    stored = None
    with call.connect() as connection:
        if policy_id is not None:
            stored = POLICIES.read(connection, policy_id)
            address = site.url("retention.change_page", policy_id=policy_id)
            leave = site.url("retention.policy_page", policy_id=policy_id)
        names = language.destination_names(connection)
        unseen_values = _unseen(call, connection, language, draft)
    problems = _placed(call, draft, conditions, shown)
    form = form_of(
        draft.typed,
        PolicyFields,
        problems,
        choices={"demands.at": {"": P_("choose one"), **{name: name for name in names}}},
        others={**condition_inputs(draft.condition), **_kept_inputs(draft), **OTHERS},
    )
    return render_page(
        call,
        "retention/policy_form.html",
        name=stored.name if stored else None,
        version=call.http.form.get("version", stored.version if stored else ""),
        newer=shown.newer,
        address=address,
        leave=leave,
        is_on=stored is not None and stored.is_on,
        draft=draft,
        form=form,
        wrong=wrong_at(call, draft.text, shown.problems),
        condition=conditions.shown(draft.condition, form.problems, unseen_values),
        kept=draft.kept and conditions.shown(draft.kept, form.problems, unseen_values, KEPT, KEPT_LEVELS),
        levels=conditions.levels,
        is_adding_condition=call.http.form.get("act", "").startswith(("add-row c", "add-row k", "add-group", "add k")),
        ahead=shown.ahead,
        missing=shown.missing,
        asks_only_copy=shown.asks_only_copy or draft.knows_only_copy,
        examples=EXAMPLES,
        chosen=getattr(call.query, "example", None),
        help=[(key, Phrase(HELP[key])) for key in KEYS if key in HELP],
    )


def _unseen(
    call: AnyCall, connection: Connection, language: PolicyLanguage, draft: Draft
) -> Mapping[str, Sequence[str]]:
    if draft.tab == "text":
        return {}
    conditions = _conditions(language)
    named = [*values_named(draft.condition, conditions)]
    named += values_named(draft.kept, conditions, KEPT) if draft.kept else ()
    return unseen(connection, language.vocabulary(), named, call.services.clock())


def _kept_inputs(draft: Draft) -> Mapping[str, tuple[str, str]]:
    return condition_inputs(draft.kept, KEPT) if draft.kept else {}


def _placed(call: AnyCall, draft: Draft, conditions: ConditionForm, shown: Shown) -> dict[str, list[str]]:
    """The problems by the form's input; of a text, and where there is no such input, under an empty name."""
    paths = form_document(draft, conditions)[1] if draft.tab == "form" else {"only copy": PLACES["only copy"]}
    placed: dict[str, list[str]] = {}
    for wrong in wrong_at(call, draft.shown_text, shown.problems):
        path = path_of_place(paths, wrong.place)
        placed.setdefault(path or "", []).append(wrong.words if path else said_of(call, wrong))
    return placed
