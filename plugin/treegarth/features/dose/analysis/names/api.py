"""Standard names over HTTP: the dialect of all documents, a table in and out, what a rule would take, assigning."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field, model_validator
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.documents.answers import TextAnswer
from treegarth.documents.importing import Imported
from treegarth.documents.language import Documents, Pages, author_of, parse_by
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.features.dose.analysis.names.csv_text import read_names, write_names
from treegarth.features.dose.analysis.names.lists import section_of
from treegarth.features.dose.analysis.names.model import Name, StandardNameParameters
from treegarth.features.dose.analysis.names.paths import NameImportPath, StandardNamePath
from treegarth.features.dose.analysis.names.service import (
    ImportedNames,
    assigned,
    import_names,
    preview,
    read_raw_name,
    suggestions,
)
from treegarth.features.dose.analysis.names.store.name_documents import (
    STANDARD_NAMES,
    NameImport,
    StandardName,
    StandardNames,
    import_together,
    list_imports,
    undo_import,
)
from treegarth.features.dose.analysis.names.store.raw_names import RawName
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, AnyText, Identifier, Parameters, Route

UNDER = f"{API_PATH}/dose"
SHOWN_OF_A_PREVIEW = 200


class NameDocuments(Documents[StandardName]):
    """An import is kept as one act, which is undone as one."""

    def take_in(self, call: AnyCall, connection: Connection, text: str, *, dry_run: bool) -> list[Imported]:
        if dry_run:
            return super().take_in(call, connection, text, dry_run=True)

        def act(names: StandardNames) -> list[Imported]:
            quiet = replace(self, kind=names)  # type: ignore[arg-type]  # the parameter of the base, which mypy leaves open
            return Documents.take_in(quiet, call, connection, text, dry_run=False)

        return import_together(connection, author_of(call), "yaml", act)


NAME_DOCUMENTS = NameDocuments(
    kind=STANDARD_NAMES,
    name="standard_name",
    example={
        "name": "CT chest",
        "modality": "CT",
        "code_value": "RPID16",
        "coding_scheme_designator": "RADLEX",
        "rules": [{"study_description": "*thorax*"}, {"protocol": "thorax*", "only": "events"}],
    },
    names="standard_names",
    one="standard name",
    many="standard names",
    path="dose/standard-names",
    tag="dose",
    number=StandardNamePath,
    parse=parse_by(StandardNameParameters),
    model=StandardNameParameters,
    is_listed=False,
    pages=Pages(
        title=N_("Standard names"),
        place="dose/standard-names",
        prefix="standard_names",
        frame="dose/standard_name_frame.html",
        list_page="dose.standard_names_page",
        section=section_of,
        begin='name: \nmodality: CT\nrules:\n  - study_description: "*thorax*"\n',
        help={
            "name": N_("What it is called; no other of its modality is."),
            "modality": N_("CT, XA, RF, DX, CR, PX, IO, RG, MG, PT, NM or OT."),
            "rules": N_(
                "A list; any of them gives the name. Of a rule all that is written must fit: `study_description`, "
                "`requested_procedure_description`, `procedure_code`, `protocol`. `*` is any text, `?` any character."
            ),
            "only": N_("In a rule: `exams` or `events`, where it names only these."),
            "code_value": N_("Of RadLex, LOINC or another scheme, with `coding_scheme_designator` and `code_meaning`."),
        },
    ),
)


class NamePreviewBody(Parameters):
    """A standard name that is not saved."""

    document: StandardNameParameters
    standard_name_id: Identifier | None = None
    """In whose place; null: a new one, behind all others."""


class NamePreview(Listed):
    """What it would be the name of."""

    gained_count: int
    """Raw names that have another name now, or none."""
    gained: list[RawName]
    """The most frequent, at most 200."""
    lost_count: int
    """Raw names that have it now, and would not any more."""
    lost: list[RawName]
    kept_count: int


class CsvBody(Parameters):
    """Standard names as a table."""

    text: Annotated[AnyText, Field(max_length=LARGEST_BYTES)]
    """Its head names the columns. Those whose name is known are worded anew; the others are made."""
    dry_run: bool = False
    """Only say what would change."""


class NamesImported(Answer):
    """What an import of a table changed, or would."""

    dry_run: bool
    items: list[Imported]
    renamed_count: int
    """Raw names of exams and protocols that have another standard name by it, or none any more."""


class NameImports(Answer):
    """The imports, the latest first, at most 100."""

    items: list[NameImport]


class RawNameQuery(Parameters):
    """A raw name."""

    key: Annotated[AnyText, Field(max_length=30)]
    """Of the list of raw names."""


class SuggestedName(Listed):
    """A standard name that a raw one may be."""

    standard_name_id: int
    name: str
    likeness: float
    """0 to 1: by words in common, and less by letters."""


class SuggestedNames(Answer):
    """The likeliest first."""

    items: list[SuggestedName]


class AssignBody(RawNameQuery):
    """Which standard name a raw name has from now on, by a rule of its own."""

    standard_name_id: Identifier | None = None
    name: Name | None = None
    """In its place: what the standard name is called; it is made where there is none."""

    @model_validator(mode="after")
    def _names_one(self) -> AssignBody:
        if (self.standard_name_id is None) == (self.name is None):
            raise ValueError(N_("Say a standard name by its number, or by its name."))
        return self


def look(call: Call[None, NamePreviewBody, None]) -> NamePreview:
    with call.connect() as connection:
        found = preview(connection, call.body.document.document(), call.body.standard_name_id)
    return NamePreview(
        gained_count=len(found.gained),
        gained=list(found.gained[:SHOWN_OF_A_PREVIEW]),
        lost_count=len(found.lost),
        lost=list(found.lost[:SHOWN_OF_A_PREVIEW]),
        kept_count=found.kept_count,
    )


def names_as_csv(call: AnyCall, connection: Connection) -> str:
    """All of them, in their order."""
    return write_names((one.document, one.is_on) for one in NAME_DOCUMENTS.all(call, connection))


def csv_text(call: Call[None, None, None]) -> TextAnswer:
    with call.connect() as connection:
        return TextAnswer(text=names_as_csv(call, connection))


def take_in_csv(call: AnyCall, connection: Connection, text: str, *, dry_run: bool) -> ImportedNames:
    """Raises DocumentRefused with every problem at its line."""
    return import_names(connection, read_names(text), author_of(call), dry_run=dry_run)


def import_csv(call: Call[None, CsvBody, None]) -> NamesImported:
    dry_run = call.body.dry_run
    with call.begin() as connection:
        done = take_in_csv(call, connection, call.body.text, dry_run=dry_run)
    return NamesImported(dry_run=dry_run, items=list(done.items), renamed_count=done.renamed_count)


def imports(call: Call[None, None, None]) -> NameImports:
    with call.connect() as connection:
        return NameImports(items=list_imports(connection))


def undo(call: Call[None, None, NameImportPath]) -> NameImports:
    with call.begin() as connection:
        undo_import(connection, call.path.name_import_id, author_of(call))
        return NameImports(items=list_imports(connection))


def suggested(call: Call[RawNameQuery, None, None]) -> SuggestedNames:
    with call.connect() as connection:
        raw = read_raw_name(connection, call.query.key)
        found = suggestions(connection, [raw])[raw.key]
    return SuggestedNames(items=[SuggestedName.model_validate(one) for one in found])


def assign_name(call: AnyCall, connection: Connection, body: AssignBody) -> StandardName:
    """Raises NotFound, RequestConflict, DocumentRefused."""
    STANDARD_NAMES.lock(connection)  # before its rules are read: of two that add one, none is lost
    raw = read_raw_name(connection, body.key)
    number, document = assigned(connection, raw, number=body.standard_name_id, name=body.name)
    if number is None:
        return NAME_DOCUMENTS.create(call, connection, document)
    return NAME_DOCUMENTS.edit(call, connection, number, document, since=None)


def assign(call: Call[None, AssignBody, None]) -> StandardName:
    with call.begin() as connection:
        return assign_name(call, connection, call.body)


def _route(name: str, path: str, handler: object, summary: str, **given: object) -> Route:
    return endpoint(name, path, handler, summary, tag="dose", under=UNDER, **given)  # type: ignore[arg-type]


def routes() -> list[Route]:
    """What they answer beside the dialect and the lists."""
    changes = {"permission": Permission.DECIDE_DOSE, "problems": (404, 409, 503)}
    return [
        _route(
            "preview_standard_name",
            "standard-names/preview",
            look,
            "What a standard name would be the name of, if its rules were these.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            example={"document": NAME_DOCUMENTS.example},
            problems=(404, 503),
        ),
        _route(
            "standard_names_csv",
            "standard-names/csv",
            csv_text,
            "Every standard name as a table, a line for each rule.",
        ),
        _route(
            "import_standard_names_csv",
            "standard-names/csv",
            import_csv,
            "Make or change standard names as a table says, all or nothing, or only say what would be.",
            method="PUT",
            example={
                "text": "modality,standard_name,study_description\nCT,CT chest,*thorax*\n",
                "dry_run": True,
            },
            **changes,
        ),
        _route("standard_name_imports", "standard-names/imports", imports, "The imports of standard names."),
        _route(
            "undo_standard_name_import",
            "standard-names/imports/{name_import_id}/undo",
            undo,
            "Undo an import as a whole: what it made is removed, what it changed is as before.",
            method="POST",
            **changes,
        ),
        _route(
            "raw_name_suggestions",
            "raw-names/suggestions",
            suggested,
            "Standard names that are like a raw one, or with which something alike is called.",
            problems=(404, 503),
        ),
        _route(
            "assign_raw_name",
            "raw-names/assign",
            assign,
            "Give a raw name a standard name, by a rule that takes what is called so.",
            method="POST",
            example={"key": "exams-1", "name": "CT chest"},
            **changes,
        ),
    ]
