"""The dose list as an answer that a browser saves. The same for page and API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile

from flask import Response
from sqlalchemy import Connection

from treegarth.features.dose.registry.export import MEDIA_TYPES, Format, write_export
from treegarth.features.dose.registry.store.filters import DoseStudyFilter
from treegarth.features.dose.registry.store.studies import DoseStudy, DoseStudySort, list_studies_with_dose
from treegarth.web.call import AnyCall

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
