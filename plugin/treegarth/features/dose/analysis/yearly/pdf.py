"""A PDF of a page: A4, with every font that it shows embedded, made of what is on this machine alone.

For workers: it takes seconds, and in Orthanc's process it would hold the one interpreter lock.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from treegarth.errors import MachineNotReady
from treegarth.phrases import P_

MISSING = P_(
    "The libraries that PDFs are made with are missing on this machine: libpango-1.0-0, libpangoft2-1.0-0 and "
    "libharfbuzz-subset0."
)


def make_pdf(html: str, style: Path) -> bytes:
    """Of a whole page and a style sheet; whatever these refer to is left out: what the PDF shows stands in its page.

    Raises MachineNotReady without the libraries for it.
    """
    try:
        from weasyprint import CSS, HTML, URLFetcher  # where it is needed: 40 MB, and libraries of the system
    except OSError as error:
        raise MachineNotReady(MISSING) from error

    class Refusing(URLFetcher):  # type: ignore[misc]  # weasyprint has no types
        """Loads nothing, from this machine or another."""

        def fetch(self, url: str, headers: object = None) -> NoReturn:
            raise ValueError("A report loads nothing.")

    nothing = Refusing()
    sheet = CSS(string=style.read_text(encoding="utf-8"), url_fetcher=nothing)
    made: bytes = HTML(string=html, url_fetcher=nothing).write_pdf(stylesheets=[sheet], pdf_tags=True)
    return made
