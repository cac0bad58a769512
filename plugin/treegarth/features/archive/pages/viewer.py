"""What stands in the viewer's place where OHIF would ask Orthanc for something of which it dies.

OHIF asks Orthanc's DICOMweb for the studies in its address and for all other studies of their patients. A list of its
own it has not: ours finds a name in every writing, which Orthanc's DICOMweb does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable
from treegarth.features.archive.store.deep_objects import count_deep_objects, deep_studies, deep_studies_met
from treegarth.features.archive.store.first_series import first_series_of
from treegarth.index.studies import told_apart
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Route
from treegarth.web.templates import render_page

MOST_SHOWN = 50


class ViewerGate:
    """Decides for each address of the viewer. While the database is down what was known last holds: the viewer works
    without it where nothing of the kind is stored."""

    def __init__(self) -> None:
        self._is_free = False

    def __call__(self, call: AnyCall, study_instance_uids: Sequence[str]) -> Response | None:
        """The page that says why the viewer cannot be opened with these studies, or the way to our list where there are
        none; None where the viewer can be opened. Raises DatabaseUnavailable where nobody knows."""
        if not study_instance_uids:
            return Response(status=302, headers={"Location": call.site.url("archive.studies_page")})
        try:
            with call.connect() as connection:
                self._is_free = count_deep_objects(connection) == 0
                if self._is_free:
                    return None
                found = deep_studies_met(connection, study_instance_uids, limit=MOST_SHOWN)
                which = told_apart(connection, found)
        except DatabaseUnavailable:
            if self._is_free:
                return None
            raise
        if not found:
            return None
        return render_page(call, "archive/not_shown.html", studies=found, which=which, is_list=False)


def first_series(call: AnyCall, study_instance_uids: Sequence[str]) -> str | None:
    """What the viewer shows first; while the database is down, what OHIF takes by itself."""
    try:
        with call.connect() as connection:
            return first_series_of(connection, study_instance_uids[0]) if study_instance_uids else None
    except DatabaseUnavailable:
        return None


def routes() -> list[Route]:
    return [
        route(
            name="archive.not_shown_page",
            path="/treegarth/not-shown",
            permission=Permission.SEE_STUDIES,
            handler=not_shown_page,
            summary="Studies with objects that Orthanc cannot show.",
        )
    ]


def not_shown_page(call: Call[None, None, None]) -> Response:
    """Where health leads."""
    with call.connect() as connection:
        found = deep_studies(connection, limit=MOST_SHOWN)
        which = told_apart(connection, found)
    return render_page(call, "archive/not_shown.html", studies=found, which=which, is_list=True)
