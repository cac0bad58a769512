"""What stands in the viewer's place where OHIF would ask Orthanc for something of which it dies.

OHIF asks Orthanc's DICOMweb for the studies in its address, for all other studies of their patients, and in its list
for every study of the archive.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from treegarth.errors import DatabaseUnavailable
from treegarth.features.archive.store.deep_objects import count_deep_objects, deep_studies, deep_studies_met
from treegarth.index.studies import told_apart
from treegarth.web.call import AnyCall
from treegarth.web.templates import render_page

MOST_SHOWN = 50


class ViewerGate:
    """Decides for each address of the viewer. While the database is down what was known last holds: the viewer works
    without it where nothing of the kind is stored."""

    def __init__(self) -> None:
        self._is_free = False

    def __call__(self, call: AnyCall, study_instance_uids: Sequence[str]) -> Response | None:
        """The page that says why the viewer cannot be opened with these studies, or without any on its list; None
        where it can. Raises DatabaseUnavailable where nobody knows."""
        try:
            with call.connect() as connection:
                self._is_free = count_deep_objects(connection) == 0
                if self._is_free:
                    return None
                if study_instance_uids:
                    found = deep_studies_met(connection, study_instance_uids, limit=MOST_SHOWN)
                else:
                    found = deep_studies(connection, limit=MOST_SHOWN)
                which = told_apart(connection, found)
        except DatabaseUnavailable:
            if self._is_free:
                return None
            raise
        if not found:
            return None
        return render_page(
            call, "archive/viewer_refused.html", studies=found, which=which, is_list=not study_instance_uids
        )
