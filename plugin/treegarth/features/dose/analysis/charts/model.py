"""What a chart says that somebody keeps: of which values, by what, drawn how. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from treegarth.features.dose.analysis.figures import OF_LEVEL, By
from treegarth.features.dose.analysis.wanted import BY_PHANTOM, Level, Phantom
from treegarth.features.dose.registry.conditions import Period
from treegarth.limits import LONGEST_TEXT, is_storable
from treegarth.phrases import N_
from treegarth.web.lists import Day, LastDay
from treegarth.web.routes import AnyText, Parameters, Text

ChartKind: TypeAlias = Literal["histogram", "boxes", "bars", "line"]
Statistic: TypeAlias = Literal["median", "mean", "p75", "p95", "maximum", "n"]

NEEDED: Mapping[ChartKind, tuple[str, ...]] = {
    "histogram": (),
    "boxes": ("by",),
    "bars": ("by", "statistic"),
    "line": ("by", "statistic"),
}
"""Of `by` and `statistic`, what a chart of each kind has to say; it says nothing of the other."""
OF_TIME: tuple[By, ...] = ("month", "quarter")
QUANTITIES = tuple(dict.fromkeys(name for some in OF_LEVEL.values() for name in some))
ShortText = Annotated[AnyText, Field(min_length=1, max_length=200)]


def _storable_texts(value: Any) -> Any:
    """Whatever a condition is made of: texts that a column takes, none longer than a text may be."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str) and (len(one) > LONGEST_TEXT or not is_storable(one)):
            raise ValueError(f"must be texts without NUL, of at most {LONGEST_TEXT} characters each")
        rest += [*one.keys(), *one.values()] if isinstance(one, Mapping) else one if isinstance(one, list) else []
    return value


class Chart(Parameters):
    """A chart of doses."""

    name: Annotated[AnyText, Field(min_length=1, max_length=100)]
    """What it is called."""
    why: Text | None = None
    """What it shows, for whoever opens it."""
    chart: ChartKind
    """`histogram`: how many values lie where; `boxes`: quartiles and whiskers side by side; `bars`: one statistic side
    by side; `line`: one statistic over time."""
    level: Level = "exam"
    """`exam`: values of exams; `event`: of irradiation events."""
    quantity: Annotated[AnyText, Field(max_length=100, json_schema_extra={"enum": sorted(QUANTITIES)})]
    """Which, by the name that figures have."""
    phantom: Phantom | None = None
    """Of DLP and CTDIvol, which are by phantom: `head` (16 cm), `body` (32 cm), `both`, `unknown`."""
    modality: Annotated[AnyText, Field(min_length=1, max_length=16)]
    """Of exams or events of this modality."""
    standard_name: ShortText | None = None
    """Only those with this standard name of the modality."""
    by: By | None = None
    """Of all but a histogram: `month`, `quarter`, `device`, `age`, `weight`, `name`; of a line one of the first two."""
    statistic: Statistic | None = None
    """Of bars and a line: `median`, `mean`, `p75`, `p95`, `maximum`, or `n`, how many values."""
    period: Period | None = None
    """Days as they are when it is opened."""
    study_date_from: Day | None = None
    """The first day, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day, included."""
    with_doubted: bool = False
    """Whether values count that something speaks against."""
    studies: Annotated[Any, AfterValidator(_storable_texts)] = None
    """Only exams of studies in the archive that fulfil this, in the language of conditions (docs/conditions.md): a line
    such as `PatientSex = F`, or `all`, `any`, `not` of several."""

    @model_validator(mode="after")
    def _is_of_its_level(self) -> Chart:
        if self.quantity not in OF_LEVEL[self.level]:
            raise ValueError(N_("There is no such quantity of exams, or of irradiation events."))
        if (self.quantity in BY_PHANTOM[self.level]) != (self.phantom is not None):
            raise ValueError(N_("The phantom is said of DLP and CTDIvol that are by phantom, and only of these."))
        return self

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Chart:
        said = {name for name in ("by", "statistic") if getattr(self, name) is not None}
        if said != set(NEEDED[self.chart]):
            raise ValueError(NEEDS[self.chart])
        if self.chart == "line" and self.by not in OF_TIME:
            raise ValueError(N_("A line is by month or by quarter."))
        return self


NEEDS: Mapping[ChartKind, str] = {
    "histogram": N_("A histogram is by nothing, and has no statistic."),
    "boxes": N_("Boxes say by what they stand side by side, and no statistic."),
    "bars": N_("Bars say by what they stand side by side, and which statistic they show."),
    "line": N_("A line says by what time, and which statistic it shows."),
}
