"""Writing standard names by forms: a rule tried out and kept, a raw name assigned, a table in and out, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Annotated, Any, Literal, TypeAlias

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.documents.differences import version_of
from treegarth.documents.language import author_of
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.errors import DocumentRefused, InvalidRequest, NotFound, RequestConflict
from treegarth.features.dose.analysis.names.api import (
    NAME_DOCUMENTS,
    AssignBody,
    assign_name,
    names_as_csv,
    take_in_csv,
)
from treegarth.features.dose.analysis.names.csv_text import COLUMNS
from treegarth.features.dose.analysis.names.lists import FIELD_NAMES, MODALITIES, OF_NAMES
from treegarth.features.dose.analysis.names.model import LONGEST_NAME, LONGEST_PATTERN, StandardNameParameters
from treegarth.features.dose.analysis.names.paths import NameImportPath
from treegarth.features.dose.analysis.names.rules import FIELDS
from treegarth.features.dose.analysis.names.service import ImportedNames, Taken, own_words, preview, read_raw_name
from treegarth.features.dose.analysis.names.store.name_documents import (
    STANDARD_NAMES,
    StandardName,
    list_imports,
    undo_import,
    versions,
)
from treegarth.features.dose.analysis.store.standard_names import name_meant
from treegarth.phrases import P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import in_words, reason_of
from treegarth.web.routes import AnyText, Identifier, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import Undo, see_other
from treegarth.web.validation import InvalidFields, validated

NAMES_PAGE = "dose.standard_names_page"
RAW_PAGE = "dose.raw_names_page"
RULE_PAGE = "dose.name_rule_page"
CSV_PAGE = "dose.names_csv_page"
RESTORE = "dose.restore_standard_name_page"
ONE_PAGE = "standard_names.document_page"
UNDER = "/treegarth/dose/standard-names"
SHOWN_OF_A_PREVIEW = 100
SHOWN_OF_A_RAW_NAME = 100
"""Letters, where it is said what was done with it."""

TypedPattern = Annotated[AnyText, Field(max_length=2 * LONGEST_PATTERN)]
"""As it is typed; the model of rules says what is wrong with it."""


class RuleTyped(Parameters):
    """A rule as it is typed, and of which standard name."""

    standard_name_id: Identifier | None = None
    """Of this one; without, of the one that is named, or a new one."""
    rule: Annotated[int, Field(ge=1, le=1000)] | None = None
    """In the place of this rule, counted from 1; without, one more."""
    modality: Text = "CT"
    name: Annotated[AnyText, Field(max_length=2 * LONGEST_NAME)] = ""
    study_description: TypedPattern = ""
    requested_procedure_description: TypedPattern = ""
    procedure_code: TypedPattern = ""
    protocol: TypedPattern = ""
    only: Text = ""

    def patterns(self) -> dict[str, str]:
        """What is filled in."""
        given = {name: getattr(self, name).strip() for name in (*FIELDS, "only")}
        return {name: value for name, value in given.items() if value}


class RuleForm(RuleTyped):
    """What the form sends: `look` shows what the rule would take, `save` keeps it."""

    version: Text = ""
    """Of the standard name, as it was read."""


class RuleToRemove(Parameters):
    """A rule that is taken out of a standard name."""

    standard_name_id: Identifier
    rule: Annotated[int, Field(ge=1, le=1000)]
    """Counted from 1."""
    version: Text = ""


Back: TypeAlias = Annotated[AnyText, Field(max_length=4000)]
"""The query of the list of raw names, for a form that leads back to it."""


class VersionToRestore(Parameters):
    """An earlier version of a standard name that is to hold again."""

    standard_name_id: Identifier
    version: Identifier
    since: Identifier | None = None
    """Nothing is restored where somebody changed it after this version."""
    back: Back | None = None
    """Without: to the page of the standard name."""


class AssignForm(AssignBody):
    """A raw name and the standard name that it is given."""

    back: Back = ""


class CsvForm(Parameters):
    """A table; `act` is `look` or `import`."""

    text: Annotated[AnyText, Field(max_length=LARGEST_BYTES)] = ""
    act: Literal["look", "import"] = "look"


# ---- a rule ----


def rule_page(call: Call[RuleTyped, None, None]) -> Response:
    typed = call.query
    with call.connect() as connection:
        stored = _standing(connection, typed)
        if stored is not None and typed.rule is not None and not typed.patterns():
            typed = _filled(typed, stored)
        document = _document(typed, stored)
        faults: Sequence[str] = ()
        taken: Taken | None = None
        if typed.patterns():
            try:
                # What a rule takes is seen before the name is written.
                valid = validated(StandardNameParameters, document if typed.name.strip() else {**document, "name": "–"})
                taken = preview(connection, valid.document(), stored.id if stored else None)
            except InvalidFields as refused:
                faults = [in_words(call, Phrase(one.message, one.values)) for one in refused.faults]
        known = sorted({one.name for one in STANDARD_NAMES.all(connection) if one.modality == typed.modality})
    return render_page(
        call,
        "dose/standard_name_rule.html",
        typed=typed.model_dump(),
        stored=stored,
        fields=FIELD_NAMES,
        of_names=OF_NAMES,
        modalities=MODALITIES,
        known=known,
        faults=faults,
        taken=taken,
        most=SHOWN_OF_A_PREVIEW,
        may_change=call.actor.may(Permission.DECIDE_DOSE),
        list_url=call.site.url(NAMES_PAGE),
    )


def save_rule(call: Call[None, RuleForm, None]) -> Response:
    """To the page of the standard name; back to the form where something is wrong."""
    typed = call.body
    again = call.site.url(
        RULE_PAGE, **{name: str(value) for name, value in typed.model_dump(exclude={"version"}).items() if value}
    )
    try:
        with call.begin() as connection:
            STANDARD_NAMES.lock(connection)
            before = versions(connection)
            stored = _standing(connection, typed)
            document = _document(typed, stored)
            if stored is None:
                saved = NAME_DOCUMENTS.create(call, connection, document)
            else:
                since = version_of(typed.version)
                saved = NAME_DOCUMENTS.edit(call, connection, stored.id, document, since=since)
    except DocumentRefused as refused:
        return see_other(call, again, *(Phrase(one.wrong) for one in refused.problems), kind="attention")
    except RequestConflict as refused:
        return see_other(call, again, refused.sentence, kind="attention")
    url = call.site.url(ONE_PAGE, standard_name_id=saved.id)
    undo = _undo(before, saved)
    if not saved.is_on:
        return _is_off(call, url, saved.name, undo)
    return see_other(call, url, P_("It holds from now on."), undo=undo)


def _undo(before: Mapping[int, int], now: StandardName, back: str | None = None) -> Undo | None:
    """What takes a change back, as long as nobody changed the standard name since: of one that was made, removing it;
    None where nothing changed."""
    was = before.get(now.id)
    if was is None:
        return Undo(route="standard_names.remove_page", path={"standard_name_id": now.id})
    if was == now.version:
        return None
    fields = {"standard_name_id": now.id, "version": was, "since": now.version}
    return Undo(route=RESTORE, fields=fields if back is None else {**fields, "back": back})


def _is_off(call: AnyCall, url: str, name: str, undo: Undo | None) -> Response:
    """What was kept of a standard name that is off takes no raw name yet."""
    told = P_(
        "It is kept, but “%(name)s” is switched off: it is the name of nothing until it is switched on.", name=name
    )
    return see_other(call, url, told, kind="attention", undo=undo)


def remove_rule(call: Call[None, RuleToRemove, None]) -> Response:
    asked = call.body
    url = call.site.url(ONE_PAGE, standard_name_id=asked.standard_name_id)
    try:
        with call.begin() as connection:
            STANDARD_NAMES.lock(connection)
            before = versions(connection)
            stored = STANDARD_NAMES.read(connection, asked.standard_name_id)
            rules = [one for place, one in enumerate(stored.document["rules"], 1) if place != asked.rule]
            document = {**stored.document, "rules": rules}
            saved = NAME_DOCUMENTS.edit(call, connection, stored.id, document, since=version_of(asked.version))
    except RequestConflict as refused:
        return see_other(call, url, refused.sentence, kind="attention")
    return see_other(call, url, P_("The rule is taken out; every name follows."), undo=_undo(before, saved))


def _standing(connection: Any, typed: RuleTyped) -> StandardName | None:
    """The standard name that the rule is of: by its number, else by its name; None of a new one. Raises NotFound."""
    if typed.standard_name_id is not None:
        return STANDARD_NAMES.read(connection, typed.standard_name_id)
    meant = name_meant(connection, typed.modality, typed.name.strip())
    return None if meant is None else STANDARD_NAMES.read(connection, meant.id)


def _filled(typed: RuleTyped, stored: StandardName) -> RuleTyped:
    """With what the rule says that is to be changed. Raises NotFound."""
    return typed.model_copy(update=_rule(stored, typed.rule or 0))


def _rule(stored: StandardName, place: int) -> Mapping[str, str]:
    rules: Sequence[Mapping[str, str]] = stored.document["rules"]
    if place > len(rules):
        raise NotFound(P_("There is no rule at this place any more."))
    return rules[place - 1]


def _document(typed: RuleTyped, stored: StandardName | None) -> dict[str, Any]:
    """The standard name with the rule."""
    rule = typed.patterns()
    if stored is None:
        return {"name": typed.name, "modality": typed.modality, "rules": [rule]}
    rules = list(stored.document["rules"])
    if typed.rule is not None:
        _rule(stored, typed.rule)
        rules[typed.rule - 1] = rule
    elif rule not in rules:
        rules.append(rule)
    return {**stored.document, "rules": rules}


def restore(call: Call[None, VersionToRestore, None]) -> Response:
    """What an earlier version said holds again, as a new one."""
    asked = call.body
    url = call.site.url(ONE_PAGE, standard_name_id=asked.standard_name_id)
    if asked.back is not None:
        url = _raw_names_url(call, asked.back)
    try:
        with call.begin() as connection:
            STANDARD_NAMES.lock(connection)
            before = versions(connection)
            history = STANDARD_NAMES.history(connection, asked.standard_name_id)
            found = next((one for one in history if one.version == asked.version), None)
            if found is None:
                raise NotFound(P_("There is no version with this number."))
            number, since = asked.standard_name_id, asked.since
            saved = NAME_DOCUMENTS.edit(call, connection, number, found.document, since=since)
    except RequestConflict as refused:
        return see_other(call, url, refused.sentence, kind="attention")
    said = P_("“%(name)s” says again what version %(number)s said.", name=saved.name, number=asked.version)
    return see_other(call, url, said, undo=_undo(before, saved, asked.back))


# ---- raw names ----


def _raw_names_url(call: AnyCall, back: str) -> str:
    return call.site.url(RAW_PAGE) + (f"?{back}" if back else "")


def assign_page(call: Call[None, AssignForm, None]) -> Response:
    """Back to the list, which says what was done and offers to take it back: the raw name left it."""
    body = call.body
    url = _raw_names_url(call, body.back)
    try:
        with call.begin() as connection:
            STANDARD_NAMES.lock(connection)
            before = versions(connection)
            raw = read_raw_name(connection, body.key)
            made = assign_name(call, connection, body)
    except DocumentRefused as refused:
        return see_other(call, url, *(Phrase(one.wrong) for one in refused.problems), kind="attention")
    except RequestConflict as refused:
        return see_other(call, url, refused.sentence, kind="attention")
    undo = _undo(before, made, body.back)
    if not made.is_on:
        return _is_off(call, url, made.name, undo)
    words = shorten(" · ".join(dict.fromkeys(own_words(raw))), SHOWN_OF_A_RAW_NAME, placeholder=" …")
    said = P_("“%(raw)s” is “%(name)s” from now on, as is all that is called so.", raw=words, name=made.name)
    return see_other(call, url, said, undo=undo)


# ---- a table ----


def csv_file(call: Call[None, None, None]) -> Response:
    """With the mark by which spreadsheets know UTF-8."""
    with call.connect() as connection:
        text = names_as_csv(call, connection)
    headers = {"Content-Disposition": 'attachment; filename="standard-names.csv"'}
    return Response(text.encode("utf-8-sig"), mimetype="text/csv", headers=headers)


def csv_page(call: Call[None, None, None]) -> Response:
    return _csv(call)


def take_in(call: Call[None, CsvForm, None]) -> Response:
    """First what would change; the same table once more, with the second button, is imported."""
    form, really = call.body, call.body.act == "import"
    try:
        with call.begin() as connection:
            done = take_in_csv(call, connection, form.text, dry_run=not really)
    except DocumentRefused as refused:
        return _csv(call, form.text, problems=[in_words(call, one.sentence) for one in refused.problems])
    except (InvalidRequest, RequestConflict) as refused:
        return _csv(call, form.text, problems=[reason_of(call, refused)])
    if not really:
        return _csv(call, form.text, plan=done)
    return see_other(call, call.site.url(CSV_PAGE), P_("It is imported; every name follows."))


def undo_page(call: Call[None, None, NameImportPath]) -> Response:
    url = call.site.url(CSV_PAGE)
    try:
        with call.begin() as connection:
            undo_import(connection, call.path.name_import_id, author_of(call))
    except RequestConflict as refused:
        return see_other(call, url, refused.sentence, kind="attention")
    return see_other(call, url, P_("The import is undone; every name follows."))


def _csv(call: AnyCall, text: str = "", *, problems: Sequence[str] = (), plan: ImportedNames | None = None) -> Response:
    with call.connect() as connection:
        imports = list_imports(connection, limit=20)
    return render_page(
        call,
        "dose/standard_name_csv.html",
        text=text.replace("\r\n", "\n"),
        problems=problems,
        plan=plan,
        imports=imports,
        columns=COLUMNS,
        list_url=call.site.url(NAMES_PAGE),
    )


def routes() -> list[Route]:
    change = {"method": "POST", "permission": Permission.DECIDE_DOSE}
    return [
        route(
            name=RULE_PAGE,
            path=f"{UNDER}/rule",
            permission=Permission.SEE_DOSE,
            handler=rule_page,
            summary="A rule of a standard name tried out: what it would take.",
        ),
        route(
            name="dose.save_name_rule_page",
            path=f"{UNDER}/rule",
            handler=save_rule,
            summary="Keep a rule of a standard name.",
            **change,
        ),
        route(
            name="dose.remove_name_rule_page",
            path=f"{UNDER}/rule/remove",
            handler=remove_rule,
            summary="Take a rule out of a standard name.",
            **change,
        ),
        route(
            name=RESTORE,
            path=f"{UNDER}/restore",
            handler=restore,
            summary="Let an earlier version of a standard name hold again.",
            **change,
        ),
        route(
            name="dose.assign_raw_name_page",
            path="/treegarth/dose/raw-names/assign",
            handler=assign_page,
            summary="Give a raw name a standard name.",
            **change,
        ),
        route(
            name="dose.names_csv_file",
            path=f"{UNDER}/rules.csv",
            permission=Permission.SEE_DOSE,
            handler=csv_file,
            summary="Every standard name as a table, a line for each rule.",
            media_type="text/csv",
        ),
        route(
            name=CSV_PAGE,
            path=f"{UNDER}/csv",
            permission=Permission.DECIDE_DOSE,
            handler=csv_page,
            summary="Import standard names as a table, and undo imports.",
        ),
        route(
            name="dose.import_names_csv_page",
            path=f"{UNDER}/csv",
            handler=take_in,
            summary="See what a table of standard names would change, or import it.",
            **change,
        ),
        route(
            name="dose.undo_name_import_page",
            path=f"{UNDER}/imports/{{name_import_id}}/undo",
            handler=undo_page,
            summary="Undo an import of standard names.",
            **change,
        ),
    ]
