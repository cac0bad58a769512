"""Sets of reference levels over HTTP: the dialect of all documents, and their rows as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.documents.language import Documents, Pages, parse_by
from treegarth.documents.store import Stored, Wording
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.errors import DocumentRefused, Problem
from treegarth.features.dose.analysis.levels.model import LevelRow, LevelSet, RowKey, overlapping
from treegarth.features.dose.analysis.levels.paths import LevelSetPath
from treegarth.features.dose.analysis.levels.rows_csv import read_rows, write_rows
from treegarth.features.dose.analysis.levels.section import set_section
from treegarth.features.dose.analysis.levels.sets import SETS
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import endpoint
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, AnyText, Identifier, Parameters, Route

EXAMPLE = {
    "name": "an example with made-up numbers",
    "place": "Nowhere",
    "publication": {
        "authors": "Nobody",
        "title": "Numbers made up to show the format",
        "year": 2024,
        "table": "Table 1",
    },
    "valid_from": "2024-01-01",
    "least_exams": 20,
    "rows": [
        {
            "modality": "CT",
            "quantity": "dlp_mgy_cm",
            "phantom": "body",
            "standard_name": "Chest",
            "age_from_years": 18,
            "level": 111,
            "achievable": 99,
        },
    ],
}
BEGIN = """\
name:
place:
publication:
  authors:
  title:
  year:
  table:
  where:
valid_from:
least_exams: 20
rows: []
"""


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    """Raises DocumentRefused. That bands overlap is refused here and not by the model: a set that is kept with such
    bands stays readable."""
    wording = parse_by(LevelSet)(call, connection, document, place)
    if (pair := overlapping(LevelSet.model_validate(wording.document).rows)) is not None:
        first, second = pair
        wrong = P_(
            "The bands of levels %(first)s and %(second)s overlap: a patient would be in both.",
            first=first + 1,
            second=second + 1,
        )
        raise DocumentRefused([Problem(f"{place}.rows.{second}", wrong)])
    return wording


SET_DOCUMENTS = Documents(
    kind=SETS,
    name="level_set",
    example=EXAMPLE,
    names="level_sets",
    one="set of reference levels",
    many="sets",
    path="dose/levels",
    tag="dose",
    number=LevelSetPath,
    parse=parse,
    model=LevelSet,
    pages=Pages(
        title=N_("Reference levels"),
        place="dose/levels",
        prefix="dose_levels",
        frame="dose/levels_frame.html",
        list_page="dose_levels.sets_page",
        section=set_section,
        begin=BEGIN,
        help={
            "name": N_("What the set is called."),
            "place": N_("The country or the site that the levels are for."),
            "publication": N_(
                "`authors`, `title`, `year`, `table` and, as `where`, the page or the address: so that anybody finds "
                "the numbers."
            ),
            "year": N_("The year of the survey, where it is not the publication's."),
            "valid_from": N_(
                "The first day on which they hold; a later set of the same place takes over from its own first day."
            ),
            "valid_to": N_("The last day on which they hold."),
            "least_exams": N_("A median is compared only if it is of so many exams; 20 if not given."),
            "rows": N_(
                "`modality`, `quantity`, `standard_name`, `level`; `phantom` (`head` or `body`) of DLP and CTDIvol; "
                "`age_from_years`, `age_to_years`, `weight_from_kg`, `weight_to_kg`, `achievable`. Many are easier as "
                "CSV, on the page of the set."
            ),
        },
    ),
)


class RowsText(Answer):
    """The rows of a set as CSV."""

    text: str


class RowsBody(Parameters):
    """Rows as CSV; they take the place of all that the set has."""

    text: AnyText = Field(max_length=LARGEST_BYTES)
    """With a head: `modality`, `quantity`, `phantom`, `standard_name`, `age_from_years`, `age_to_years`,
    `weight_from_kg`, `weight_to_kg`, `level`, `unit`, `achievable`."""
    version: Identifier
    """The set's version that was read before. Status 409 if somebody else worded it anew since."""
    dry_run: bool = False
    """Only say what would change."""


class RowChange(Answer):
    """What becomes of one row."""

    outcome: Literal["new", "changed", "same", "gone"]
    row: LevelRow
    """As it is afterwards; of one that goes, as it was."""
    before: LevelRow | None
    """Of one that changes, as it was."""


class RowsOutcome(Answer):
    """What rows as CSV change of a set, or would."""

    dry_run: bool
    version: int
    """The set's, afterwards."""
    items: list[RowChange]


def changes(before: Sequence[LevelRow], after: Sequence[LevelRow]) -> list[RowChange]:
    """Row by row, in the order of the new ones; what goes is last."""
    old = {row.key: row for row in before}
    new: dict[RowKey, LevelRow] = {row.key: row for row in after}
    found = []
    for key, row in new.items():
        known = old.get(key)
        outcome: Literal["new", "changed", "same"] = "new" if known is None else "same" if known == row else "changed"
        found.append(RowChange(outcome=outcome, row=row, before=known if outcome == "changed" else None))
    gone = [RowChange(outcome="gone", row=row, before=None) for key, row in old.items() if key not in new]
    return [*found, *gone]


def take_rows(
    call: AnyCall, connection: Connection, stored: Stored, text: str, *, since: int | None, dry_run: bool
) -> RowsOutcome:
    """Put these rows in the place of a set's. Raises DocumentRefused with every problem, EditedMeanwhile."""
    rows = read_rows(text)
    done = changes(LevelSet.model_validate(stored.document).rows, rows)
    version = stored.version
    if not dry_run:
        written = [row.model_dump(mode="json", exclude_none=True) for row in rows]
        document = {**stored.document, "rows": written}
        version = SET_DOCUMENTS.edit(call, connection, stored.id, document, since=since).version
    return RowsOutcome(dry_run=dry_run, version=version, items=done)


def read_as_csv(call: Call[None, None, LevelSetPath]) -> RowsText:
    with call.connect() as connection:
        stored = SET_DOCUMENTS.read(call, connection, call.path.level_set_id)
    return RowsText(text=rows_text(stored))


def rows_text(stored: Stored) -> str:
    """The rows of a set as CSV."""
    return write_rows(LevelSet.model_validate(stored.document).rows)


def replace_by_csv(call: Call[None, RowsBody, LevelSetPath]) -> RowsOutcome:
    body = call.body
    with call.begin() as connection:
        stored = SET_DOCUMENTS.read(call, connection, call.path.level_set_id)
        return take_rows(call, connection, stored, body.text, since=body.version, dry_run=body.dry_run)


_route: Any = partial(endpoint, tag="dose", under=f"{API_PATH}/dose/levels")
EXAMPLE_CSV = (
    "modality,quantity,phantom,standard_name,age_from_years,level,unit\r\nCT,dlp_mgy_cm,body,Chest,18,111,mGy·cm\r\n"
)


def routes() -> list[Route]:
    """What they answer beside the dialect."""
    return [
        _route("level_set_rows", "{level_set_id}/rows", read_as_csv, "The rows of a set of reference levels as CSV."),
        _route(
            "replace_level_set_rows",
            "{level_set_id}/rows",
            replace_by_csv,
            "Put rows as CSV in the place of a set's rows, all or nothing, or only say what would change.",
            method="PUT",
            permission=Permission.DECIDE_DOSE,
            problems=(404, 409, 503),
            example={"text": EXAMPLE_CSV, "version": 1, "dry_run": True},
        ),
    ]
