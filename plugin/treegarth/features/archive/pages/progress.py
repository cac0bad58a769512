"""What the archive lends to the system page: how far the index is, and the comparison with Orthanc."""

from __future__ import annotations

from babel.dates import format_timedelta
from markupsafe import Markup

from treegarth.errors import DatabaseUnavailable
from treegarth.features.archive.store.overview import Comparison, last_comparison, last_indexed_at
from treegarth.features.archive.store.searching import totals
from treegarth.web.parts import AnyCall, render_part


def progress_section(call: AnyCall) -> Markup:
    """Totals of the index, and the bar, rate and remaining time of a comparison that runs."""
    try:
        with call.site.services.database.connect() as connection:
            values = {
                "comparison": last_comparison(connection),
                "totals": totals(connection),
                "last_indexed_at": last_indexed_at(connection),
            }
    except DatabaseUnavailable:
        return Markup("")
    return render_part(call, "archive_progress.html", left=_left(call, values["comparison"]), **values)


def _left(call: AnyCall, comparison: object) -> str | None:
    if not isinstance(comparison, Comparison) or comparison.seconds_left is None:
        return None
    locale = call.site.languages[call.language].locale
    return str(format_timedelta(comparison.seconds_left, locale=locale))
