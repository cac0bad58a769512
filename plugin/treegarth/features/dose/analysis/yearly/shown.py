"""What a template of the report is given beside the figures, whether it makes a page or a PDF. Words only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from treegarth.features.dose.alerts.words import KIND_NAMES
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.words import WORDS
from treegarth.features.dose.analysis.wanted import Phantom
from treegarth.features.dose.analysis.yearly.model import MONTHS, YearlyReport
from treegarth.features.dose.quantities import QUANTITIES, ShownQuantity, best_column
from treegarth.phrases import N_
from treegarth.web.languages import Language

PHANTOM_NAMES: Mapping[Phantom, str] = {
    "head": N_("head 16 cm"),
    "body": N_("body 32 cm"),
    "both": N_("both phantoms"),
    "unknown": N_("phantom unknown"),
}


def quantity_of(name: str) -> ShownQuantity:
    """How a quantity of `exam_dose` is shown; one that has no name yet, by its own, in its stored unit."""
    return QUANTITIES.get(best_column(name)) or QUANTITIES.get(name) or ShownQuantity(label=name, unit="")


def shown_values(report: YearlyReport, language: Language, site_name: str) -> dict[str, Any]:
    months = language.locale.months["stand-alone"]["abbreviated"]
    return {
        "report": report,
        "site_name": site_name,
        "quantity_of": quantity_of,
        "phantom_names": PHANTOM_NAMES,
        "level_quantities": LEVEL_QUANTITIES,
        "verdicts": {verdict: shown.words for verdict, shown in WORDS.items()},
        "alert_kinds": KIND_NAMES,
        "month_names": [months[month] for month in range(1, MONTHS + 1)],
    }
