"""The dose list, and what deciding anew changed, as answers that a browser saves. The same for page and API."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from tempfile import TemporaryFile

from flask import Response
from sqlalchemy import Connection

from treegarth.features.dose.registry.export import MEDIA_TYPES, Format, csv_text, write_export
from treegarth.features.dose.registry.store.filters import DoseStudyFilter
from treegarth.features.dose.registry.store.redecision import Change, changes_of, redeciding_progress
from treegarth.features.dose.registry.store.studies import DoseStudy, DoseStudySort, list_studies_with_dose
from treegarth.web.call import AnyCall, Call

STUDIES_OF_A_PIECE = 1000


def exported(call: AnyCall, wanted: Format, conditions: DoseStudyFilter, sort: DoseStudySort) -> Response:
    """The list as a file. Studies are read piece by piece into a file on disk; only its bytes are answered at once."""
    with TemporaryFile() as file, call.connect() as connection:
        write_export(wanted, _pieces(connection, conditions, sort), file)
        file.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="doses.{wanted}"'}
        return Response(file.read(), mimetype=MEDIA_TYPES[wanted], headers=headers)


def _pieces(connection: Connection, wanted: DoseStudyFilter, sort: DoseStudySort) -> Iterator[Sequence[DoseStudy]]:
    cursor = None
    while True:
        page = list_studies_with_dose(connection, wanted, sort=sort, limit=STUDIES_OF_A_PIECE, cursor=cursor)
        yield page.studies
        cursor = page.next
        if cursor is None:
            return


def changes_csv(call: Call[None, None, None]) -> Response:
    """What the latest deciding anew changed: nothing where there never was one."""
    names = list(Change.__dataclass_fields__)
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    with call.connect() as connection:
        progress = redeciding_progress(connection)
        changes = [] if progress is None else changes_of(connection, progress.id)
        writer.writerows([csv_text(getattr(one, name)) for name in names] for one in changes)
    headers = {"Content-Disposition": 'attachment; filename="decided-anew.csv"'}
    return Response(file.getvalue(), mimetype="text/csv", headers=headers)
