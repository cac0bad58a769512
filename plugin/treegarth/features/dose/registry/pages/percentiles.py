"""The percentile that stands beside a dose, with where it leads: the analysis of what it lies among. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor

from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.store.percentiles import NameKind, Percentile
from treegarth.web.call import AnyCall

PARAMETERS: Mapping[NameKind, str] = {"standard": "standard_name", "exam": "exam_name"}


@dataclass(frozen=True, kw_only=True)
class PercentileMark:
    """The mark of one dose."""

    of: Percentile
    label: str  # of the quantity, a msgid
    url: str

    @property
    def whole(self) -> int:
        """A whole percentile, from the nearest: a half is the greater one."""
        return floor(self.of.percentile + 0.5)


def percentile_marks(call: AnyCall, found: Iterable[Percentile] | None) -> dict[str, PercentileMark]:
    """Those of one exam, by quantity."""
    return {
        one.quantity: PercentileMark(of=one, label=OF_LEVEL["exam"][one.quantity].label, url=_address(call, one))
        for one in found or ()
    }


def _address(call: AnyCall, one: Percentile) -> str:
    named = {PARAMETERS[one.name_kind]: str(one.name_id)}
    return call.site.url("dose.analysis_name_page", **named, quantity=one.quantity, phantom=one.phantom)
