"""What the archive lends to the system page: how far the index is, and the comparison with Orthanc."""

from __future__ import annotations

from babel.dates import format_timedelta
from markupsafe import Markup

from treegarth.errors import DatabaseUnavailable
from treegarth.features.archive.store.overview import Comparison, last_comparison, last_indexed_at
from treegarth.features.archive.store.search import totals
from treegarth.features.archive.store.stale_series import Mending, last_mending
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part


def progress_section(call: AnyCall) -> Markup:
    """Totals of the index, and bar, rate and remaining time of a comparison and of a reading anew that run."""
    try:
        with call.connect() as connection:
            values = {
                "comparison": last_comparison(connection),
                "totals": totals(connection),
                "last_indexed_at": last_indexed_at(connection),
                "mending": last_mending(connection),
            }
    except DatabaseUnavailable:
        return Markup("")
    left = {name: _left(call, values[name]) for name in ("comparison", "mending")}
    return render_part(call, "archive/progress.html", left=left, **values)


def _left(call: AnyCall, work: object) -> str | None:
    if not isinstance(work, Comparison | Mending) or work.seconds_left is None:
        return None
    locale = call.site.languages[call.language].locale
    return str(format_timedelta(work.seconds_left, locale=locale))
