"""Give the interned names of exams and protocols their standard names: all of them anew when a rule changes, those
that are new in the transaction that interns them. Writes only.

Both stand under one lock: who changes rules waits for names that are being interned, and these for the rules. So none
keeps the name of rules that hold no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Integer, Select, Table, column, func, literal, select, update

from treegarth.database.parameters import is_among_numbers
from treegarth.features.dose.alerts.store.due import note_named
from treegarth.features.dose.analysis.names.rules import FIELDS, Namer, NameRule, NameRules, Of, RawName
from treegarth.features.dose.analysis.tables import exam_name, protocol_name, standard_name, standard_name_version

_LOCK = 7_611
TABLES: Mapping[Of, Table] = {"exams": exam_name, "events": protocol_name}


def rules_of(number: int, document: Mapping[str, Any]) -> NameRules:
    """What the document of a standard name says of when it is given."""
    rules = [
        NameRule(patterns={name: one[name] for name in FIELDS if name in one}, only=one.get("only"))
        for one in document.get("rules", ())
    ]
    return NameRules(id=number, modality=document["modality"], rules=rules)


def read_rules(connection: Connection) -> list[NameRules]:
    """Those that are on, in their order."""
    name, version = standard_name.c, standard_name_version.c
    query = (
        select(name.id, version.document)
        .join_from(
            standard_name,
            standard_name_version,
            (version.standard_name_id == name.id) & (version.version == name.version),
        )
        .where(name.is_on, name.removed_at.is_(None))
        .order_by(name.position, name.id)
    )
    return [rules_of(row.id, row.document) for row in connection.execute(query)]


def name_everything(connection: Connection) -> int:
    """Every name anew, by the rules as this transaction has them; how many have another one since."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    namer = Namer(read_rules(connection))
    return sum(_give(connection, of, namer, raw_names(of)) for of in TABLES)


def name_new(connection: Connection, new: Mapping[Of, Sequence[int]]) -> None:
    """Those that were interned just now."""
    if not any(new.values()):
        return
    connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    namer = Namer(read_rules(connection))
    for of, numbers in new.items():
        if numbers:
            _give(connection, of, namer, raw_names(of).where(is_among_numbers(TABLES[of].c.id, numbers)))


def raw_names(of: Of) -> Select[Any]:
    """What `as_raw` makes names of, with their numbers and the standard names that they have."""
    return select(TABLES[of])


def as_raw(of: Of, row: Any) -> RawName:
    """A row of `raw_names`."""
    if of == "events":
        return RawName(of=of, modality=row.modality, protocols=(row.name,))
    return RawName(
        of=of,
        modality=row.modality,
        study_description=row.study_description,
        requested_procedure_description=row.requested_procedure_description,
        procedure_codes=row.procedure_codes,
        protocols=row.protocols,
    )


def given_names(connection: Connection) -> dict[tuple[Of, int], int | None]:
    """Which standard name each raw one has now."""
    found = {}
    for of, table in TABLES.items():
        for row in connection.execute(select(table.c.id, table.c.standard_name_id)):
            found[of, row.id] = row.standard_name_id
    return found


def named_already(connection: Connection, modalities: Collection[str]) -> Iterator[tuple[int, RawName]]:
    """What has a standard name of these modalities, with its number."""
    for of, table in TABLES.items():
        query = raw_names(of).where(table.c.standard_name_id.is_not(None), table.c.modality.in_(modalities))
        for row in connection.execute(query):
            yield row.standard_name_id, as_raw(of, row)


def _give(connection: Connection, of: Of, namer: Namer, query: Select[Any]) -> int:
    changed: dict[int, int | None] = {}
    for row in connection.execute(query):
        given = namer.name_of(as_raw(of, row))
        number = None if given is None else given.id
        if number != row.standard_name_id:
            changed[row.id] = number
    if changed:
        table = TABLES[of]
        pairs: Any = func.unnest(
            literal(list(changed), ARRAY(Integer)), literal(list(changed.values()), ARRAY(Integer))
        )
        new = pairs.table_valued(column("id", Integer), column("given", Integer)).render_derived()
        connection.execute(update(table).where(table.c.id == new.c.id).values(standard_name_id=new.c.given))
        if of == "exams":
            note_named(connection, changed)
    return len(changed)
