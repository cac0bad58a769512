"""The coefficients by which doses are derived, and those that a site says itself, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from treegarth.documents.language import Documents, Pages, parse_by
from treegarth.features.dose.analysis.derived import Coefficient
from treegarth.features.dose.analysis.derived.ages import AgeGroup
from treegarth.features.dose.analysis.derived.coefficients import UNITS, Phantom, Table
from treegarth.features.dose.analysis.derived.regions import REGIONS
from treegarth.features.dose.analysis.paths import DoseCoefficientPath
from treegarth.features.dose.analysis.store.coefficient_documents import COEFFICIENTS
from treegarth.features.dose.analysis.store.derived import coefficients_of
from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.phrases import N_
from treegarth.web.call import Call
from treegarth.web.routes import Answer, AnyText, Parameters, Route, Text

CODE = re.compile(r"[A-Za-z0-9_]{1,16}:[\w.-]{1,16}", re.ASCII)
GREATEST_OF_CT = 1.0
"""mSv/(mGy·cm): twenty times the greatest of the shipped table (0.049, AAPM Report 96, table 3)."""
NUCLIDE = re.compile(r"[A-Z][a-z]?-\d{1,3}m?", re.ASCII)


class CoefficientParameters(Parameters):
    """A coefficient of this site, with its source; it stands for the shipped one of the same key."""

    name: Annotated[AnyText, Field(min_length=1, max_length=100)]
    """What it is called."""
    table: Table
    """`ct`: mSv/(mGy·cm) by region, age group and phantom; `radiopharmaceutical`: mSv/MBq by code and age group;
    `half_life`: seconds, by radionuclide."""
    of: Annotated[AnyText, Field(min_length=1, max_length=40)]
    """A region (`chest`), a radiopharmaceutical as scheme and code (`SCT:35321007`), or a radionuclide (`F-18`)."""
    age_group: AgeGroup | None = None
    """None of a half-life."""
    phantom: Phantom | None = None
    """To which DLP refers: `head` is 16 cm, `body` 32 cm; of `ct` alone."""
    value: Annotated[float, Field(gt=0, le=1e12)]
    source: Annotated[AnyText, Field(min_length=1, max_length=500)]
    """The publication, with table and page."""
    note: Text | None = None
    """For whoever looks at it later."""

    @model_validator(mode="after")
    def _fits_its_table(self) -> CoefficientParameters:
        if (self.age_group is None) != (self.table == "half_life"):
            raise ValueError(N_("An age group stands in every coefficient but a half-life."))
        if (self.phantom is None) == (self.table == "ct"):
            raise ValueError(N_("A phantom stands in coefficients of CT alone."))
        if self.table == "ct" and self.of not in REGIONS:
            raise ValueError(N_("“of” is none of the regions that coefficients of CT have."))
        if self.table == "radiopharmaceutical" and CODE.fullmatch(self.of) is None:
            raise ValueError(N_("“of” is a scheme and a code, such as SCT:35321007."))
        if self.table == "half_life" and NUCLIDE.fullmatch(self.of) is None:
            raise ValueError(N_("“of” is a radionuclide, such as F-18."))
        if self.table == "ct" and self.value > GREATEST_OF_CT:
            raise ValueError(N_("A coefficient of CT is given in mSv/(mGy·cm): none is greater than 1."))
        return self


class HeldCoefficient(Listed):
    """A coefficient as it holds now."""

    table: Table
    of: str
    """Region, scheme and code, or radionuclide."""
    name: str
    age_group: AgeGroup | None
    phantom: Literal["head", "body"] | None
    """To which DLP refers: 16 cm or 32 cm."""
    value: float
    unit: str
    source: str
    """The publication."""
    checked: str | None
    """With what a shipped one was compared."""
    is_built_in: bool


class HeldCoefficients(Answer):
    """Every one, table by table."""

    items: list[HeldCoefficient]


def held_coefficients(known: Iterable[Coefficient]) -> list[HeldCoefficient]:
    """Table by table, in the order of their files, a site's own last."""
    return [
        HeldCoefficient(
            table=one.table,
            of=one.of,
            name=one.name,
            age_group=one.age_group,
            phantom=one.phantom,
            value=one.value,
            unit=UNITS[one.table],
            source=one.source,
            checked=one.checked,
            is_built_in=not one.is_site,
        )
        for one in sorted(known, key=lambda one: list(UNITS).index(one.table))
    ]


def held(call: Call[None, None, None]) -> HeldCoefficients:
    with call.connect() as connection:
        return HeldCoefficients(items=held_coefficients(coefficients_of(connection)))


COEFFICIENT_DOCUMENTS = Documents(
    kind=COEFFICIENTS,
    name="dose_coefficient",
    example={
        "name": "FDG for children of five",
        "table": "radiopharmaceutical",
        "of": "SCT:35321007",
        "age_group": "5",
        "value": 0.05,
        "source": "the publication, with table and page",
    },
    names="dose_coefficients",
    one="coefficient",
    many="coefficients",
    path="dose/coefficients",
    tag="dose",
    number=DoseCoefficientPath,
    parse=parse_by(CoefficientParameters),
    model=CoefficientParameters,
    pages=Pages(
        title=N_("Coefficients"),
        place="dose/coefficients",
        prefix="dose_coefficients",
        frame="dose/coefficients_frame.html",
        list_page="dose.coefficients_page",
        begin="name: \ntable: radiopharmaceutical\nof: SCT:\nage_group: adult\nvalue: \nsource: \n",
        help={
            "name": N_("What it is called."),
            "table": N_("ct (mSv per mGy·cm), radiopharmaceutical (mSv per MBq) or half_life (seconds)."),
            "of": N_("A region such as chest, a code such as SCT:35321007, or a radionuclide such as F-18."),
            "age_group": N_("0, 1, 5, 10, 15 or adult, in quotes where it is a number; none of a half-life."),
            "phantom": N_("Of ct alone: head (16 cm) or body (32 cm)."),
            "value": N_("The number, in the unit of its table."),
            "source": N_("The publication, with table and page."),
            "note": N_("For whoever looks at it later."),
        },
    ),
)


def routes() -> list[Route]:
    """What they answer beside the dialect."""
    return [
        dose_route(
            "dose_coefficients_held",
            "coefficients/held",
            held,
            "Every coefficient by which doses are derived, with its source.",
        )
    ]
