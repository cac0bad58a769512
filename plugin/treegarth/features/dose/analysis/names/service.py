"""What is done with standard names beside writing them: looking what a rule would take, suggestions, assigning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from treegarth.documents.importing import Imported, import_wordings
from treegarth.documents.store import Author, Wording
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.dose.analysis.names.csv_text import CODE, NamesTable
from treegarth.features.dose.analysis.names.model import LONGEST_PATTERN
from treegarth.features.dose.analysis.names.rules import Namer, NameRules
from treegarth.features.dose.analysis.names.rules import RawName as Texts
from treegarth.features.dose.analysis.names.similarity import Suggester, Suggestion
from treegarth.features.dose.analysis.names.store.name_documents import (
    STANDARD_NAMES,
    StandardName,
    StandardNames,
    import_together,
)
from treegarth.features.dose.analysis.names.store.naming import given_names, named_already, read_rules, rules_of
from treegarth.features.dose.analysis.names.store.raw_names import RawName, RawNamesWanted, select_raw_names
from treegarth.features.dose.analysis.store.standard_names import name_meant
from treegarth.features.dose.analysis.tables import standard_name
from treegarth.phrases import P_

_NEW = 0
"""Stands for the number of a name that is not there yet: numbers begin with 1."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a standard name would be the name of."""

    gained: Sequence[RawName]
    """Those that have another name now, or none; the most frequent first."""
    lost: Sequence[RawName]
    """Those that have it now and would not any more."""
    kept_count: int
    """Raw names that have it now and would still."""


def preview(connection: Connection, document: Mapping[str, Any], number: int | None) -> Taken:
    """As if the document stood in the place of this standard name, or behind all others. Raises NotFound."""
    if number is not None:
        STANDARD_NAMES.read(connection, number)
    changed = rules_of(number or _NEW, document)
    namer = Namer(_with(connection, read_rules(connection), changed))
    found = select_raw_names(RawNamesWanted(modality=changed.modality))
    gained, lost, kept = [], [], 0
    for row in connection.execute(found):
        raw = RawName.model_validate(row._asdict())
        given = namer.name_of(texts_of(raw))
        is_taken = given is not None and given.id == changed.id
        was_taken = number is not None and raw.standard_name_id == number
        kept += is_taken and was_taken
        if is_taken and not was_taken:
            gained.append(raw)
        if was_taken and not is_taken:
            lost.append(raw)
    return Taken(gained=_most_first(gained), lost=_most_first(lost), kept_count=kept)


def _with(connection: Connection, rules: Sequence[NameRules], changed: NameRules) -> list[NameRules]:
    """The rules with this one in its place; where it is off, or new, that is where it would be."""
    places = {row.id: (row.position, row.id) for row in connection.execute(select(standard_name))}
    behind_all = (max((place for place, _ in places.values()), default=0) + 1, 0)
    others = [one for one in rules if one.id != changed.id]
    return sorted([*others, changed], key=lambda one: places.get(one.id, behind_all))


def _most_first(found: Sequence[RawName]) -> list[RawName]:
    return sorted(found, key=lambda one: (-one.count, one.key))


def texts_of(raw: RawName) -> Texts:
    """As rules compare it."""
    return Texts(
        of=raw.of,
        modality=raw.modality,
        study_description=raw.study_description,
        requested_procedure_description=raw.requested_procedure_description,
        procedure_codes=raw.procedure_codes,
        protocols=raw.protocols,
    )


def read_raw_name(connection: Connection, key: str) -> RawName:
    """Raises NotFound."""
    row = connection.execute(select_raw_names(RawNamesWanted(key=key))).one_or_none()
    if row is None:
        raise NotFound(P_("Nothing is called by a raw name with this key."))
    return RawName.model_validate(row._asdict())


def suggestions(connection: Connection, asked: Sequence[RawName]) -> dict[str, list[Suggestion]]:
    """For each, by its key, standard names of its modality that are alike, or with which something alike is called."""
    modalities = {one.modality for one in asked}
    name = standard_name.c
    query = select(name.id, name.modality, name.name).where(name.removed_at.is_(None), name.is_on)
    names: dict[str, dict[int, str]] = {}
    for row in connection.execute(query.where(name.modality.in_(modalities))):
        names.setdefault(row.modality, {})[row.id] = row.name
    called: dict[int, set[str]] = {}
    for number, raw in named_already(connection, names):
        called.setdefault(number, set()).update(own_words(raw))
    by_modality = {modality: Suggester(modality, of, called) for modality, of in names.items()}
    return {
        one.key: by_modality[one.modality].suggest(own_words(one)) if one.modality in by_modality else []
        for one in asked
    }


def own_words(raw: RawName | Texts) -> list[str]:
    """By what a raw name is alike: its texts; protocols only where they are all that is known."""
    codes = [code.split("^")[1] for code in raw.procedure_codes if code.count("^") and code.split("^")[1]]
    texts = [raw.study_description, raw.requested_procedure_description, *codes]
    return [one for one in texts if one] or list(raw.protocols)


def rule_for(raw: RawName) -> dict[str, str] | None:
    """The rule that takes what is called so: by the descriptions of an exam, else by a code, else by a protocol; of an
    event by the protocol. None where it has no text."""
    if raw.of == "events":
        return {"protocol": _exactly(raw.protocols[0]), "only": "events"}
    described = {
        name: _exactly(text)
        for name in ("study_description", "requested_procedure_description")
        if (text := getattr(raw, name))
    }
    if described:
        return described
    codes = [code.split("^")[0] or code for code in raw.procedure_codes]
    if codes:
        return {"procedure_code": _exactly(codes[0])}
    return {"protocol": _exactly(raw.protocols[0]), "only": "exams"} if raw.protocols else None


def _exactly(text: str) -> str:
    return text if len(text) <= LONGEST_PATTERN else f"{text[: LONGEST_PATTERN - 1]}*"


def assigned(
    connection: Connection, raw: RawName, *, number: int | None, name: str | None
) -> tuple[int | None, dict[str, Any]]:
    """The document in which a rule takes this raw name: that of a standard name, by its number or its name, or of a new
    one; and the number. Raises NotFound, RequestConflict."""
    stored = _standing(connection, raw.modality, number, name)
    rule = rule_for(raw)
    if rule is None:
        raise RequestConflict(P_("It has no text that a rule could name it by."))
    if stored is None:
        return None, {"name": name or "", "modality": raw.modality, "rules": [rule]}
    rules = stored.document["rules"]
    return stored.id, {**stored.document, "rules": rules if rule in rules else [*rules, rule]}


def _standing(connection: Connection, modality: str, number: int | None, name: str | None) -> StandardName | None:
    if number is not None:
        stored = STANDARD_NAMES.read(connection, number)
        if stored.modality != modality:
            raise RequestConflict(P_("This standard name is of another modality."), field="standard_name_id")
        return stored
    meant = name_meant(connection, modality, (name or "").strip())
    return None if meant is None else STANDARD_NAMES.read(connection, meant.id)


@dataclass(frozen=True, kw_only=True)
class ImportedNames:
    """What an import changed, or would."""

    items: Sequence[Imported]
    renamed_count: int
    """Raw names of exams and protocols that have another standard name by it, or none any more."""


def import_names(connection: Connection, table: NamesTable, author: Author, *, dry_run: bool) -> ImportedNames:
    """All or nothing. What would be is found out by doing it and taking it back."""

    def act(names: StandardNames) -> list[Imported]:
        wordings = table.wordings if table.says_codes else _with_codes(connection, table.wordings)
        return import_wordings(connection, names, wordings, author)

    before = given_names(connection)
    with connection.begin_nested() as trial:
        done = import_together(connection, author, "csv", act)
        after = given_names(connection)
        if dry_run:
            trial.rollback()
    items = [one.model_copy(update={"id": None}) if dry_run and one.outcome == "created" else one for one in done]
    return ImportedNames(items=items, renamed_count=sum(before.get(key) != given for key, given in after.items()))


def _with_codes(connection: Connection, wordings: Sequence[Wording]) -> list[Wording]:
    """Of a table that says nothing of codes: with those that the names have."""
    codes = {
        (one.name, one.modality): {name: one.document[name] for name in CODE if name in one.document}
        for one in STANDARD_NAMES.all(connection)
    }
    return [
        replace(one, document={**one.document, **codes.get((one.document["name"], one.document["modality"]), {})})
        for one in wordings
    ]
