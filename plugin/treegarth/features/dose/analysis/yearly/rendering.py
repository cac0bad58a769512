"""The yearly report as a PDF, of the template that the page is made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from treegarth.features.dose.analysis.yearly.model import YearlyReport
from treegarth.features.dose.analysis.yearly.pdf import make_pdf
from treegarth.features.dose.analysis.yearly.shown import shown_values
from treegarth.web.languages import read_languages
from treegarth.web.templates import make_environment

STYLE = Path("static", "report_pdf.css")


def report_as_html(
    report: YearlyReport,
    language: str,
    site_name: str,
    web_directory: Path,
    zone: ZoneInfo,
    clock: Callable[[], datetime],
) -> str:
    """The whole page that the PDF is made of. Raises KeyError for a language that there is not."""
    spoken = read_languages(web_directory / "locales")[language]
    environment = make_environment(web_directory, spoken, zone, clock)
    values = shown_values(report, spoken, site_name)
    return environment.get_template("dose/report_pdf.html").render(lang=language, now=clock(), **values)


def report_as_pdf(
    report: YearlyReport,
    language: str,
    site_name: str,
    web_directory: Path,
    zone: ZoneInfo,
    clock: Callable[[], datetime],
) -> bytes:
    """Raises MachineNotReady without the libraries for it."""
    return make_pdf(report_as_html(report, language, site_name, web_directory, zone, clock), web_directory / STYLE)
