"""The limits of plausibility that a site sets itself, over HTTP: the dialect of all documents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from sqlalchemy import Connection

from treegarth.documents.language import Documents, Pages, parse_by
from treegarth.features.dose.plausibility import BUILT_IN
from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.features.dose.registry.paths import DoseLimitPath
from treegarth.features.dose.registry.store.limit_documents import LIMITS
from treegarth.features.dose.registry.store.limits import limits_of
from treegarth.phrases import N_
from treegarth.web.call import Call
from treegarth.web.routes import Answer, AnyText, Parameters, Route, Text

Bound = Annotated[float, Field(ge=-1e12, le=1e12)]


class LimitParameters(Parameters):
    """Between which two numbers a quantity is believed here, in the unit in which it is shown; what is not given is as
    built in."""

    name: Annotated[AnyText, Field(min_length=1, max_length=100)]
    """What it is called."""
    quantity: Annotated[str, Field(json_schema_extra={"enum": sorted(BUILT_IN)})]
    """Of which event or exam: `GET dose/limits/held` lists them with their units."""
    least: Bound | None = None
    greatest: Bound | None = None
    reason: Text | None = None
    """Why, for whoever looks at it later."""

    @field_validator("quantity")
    @classmethod
    def _is_known(cls, quantity: str) -> str:
        if quantity not in BUILT_IN:
            raise ValueError(N_("is none of the quantities that have a limit."))
        return quantity

    @model_validator(mode="after")
    def _says_something(self) -> LimitParameters:
        if self.least is None and self.greatest is None:
            raise ValueError(N_("A limit says a least or a greatest number."))
        if self.least is not None and self.greatest is not None and self.least > self.greatest:
            raise ValueError(N_("The least number is more than the greatest."))
        return self


class HeldLimit(Listed):
    """A limit as it holds now, in the unit in which the quantity is shown."""

    quantity: str
    of: Literal["event", "exam"]
    label: str
    unit: str
    least: float
    greatest: float
    is_built_in: bool
    reason: str
    """Of the one that is built in."""


class HeldLimits(Answer):
    """Every quantity."""

    items: list[HeldLimit]


def held_limits(connection: Connection) -> list[HeldLimit]:
    """Every limit as it holds now; its words are msgids."""
    return [
        HeldLimit(
            quantity=name,
            of=one.of,
            label=one.shown.label,
            unit=one.shown.unit,
            least=one.least * one.shown.factor,
            greatest=one.greatest * one.shown.factor,
            is_built_in=one == BUILT_IN[name],
            reason=one.reason,
        )
        for name, one in limits_of(connection).items()
    ]


def held(call: Call[None, None, None]) -> HeldLimits:
    with call.connect() as connection:
        return HeldLimits(items=held_limits(connection))


LIMIT_DOCUMENTS = Documents(
    kind=LIMITS,
    name="dose_limit",
    example={
        "name": "our CT",
        "quantity": "dlp_mgy_cm",
        "greatest": 9000,
        "reason": "none of our protocols gives more",
    },
    names="dose_limits",
    one="limit",
    many="limits",
    path="dose/limits",
    tag="dose",
    number=DoseLimitPath,
    parse=parse_by(LimitParameters),
    model=LimitParameters,
    pages=Pages(
        title=N_("Limits of plausibility"),
        place="dose/limits",
        prefix="dose_limits",
        frame="dose/plausibility_frame.html",
        list_page="dose.limits_page",
        begin="name: \nquantity: dlp_mgy_cm\ngreatest: 20000\nreason: \n",
        help={
            "name": N_("What it is called."),
            "quantity": N_("Which quantity, as the table of limits names it."),
            "least": N_("The least that is believed, in the unit of the table."),
            "greatest": N_("The greatest that is believed, in the unit of the table."),
            "reason": N_("Why, for whoever looks at it later."),
        },
    ),
)


def routes() -> list[Route]:
    """What they answer beside the dialect."""
    return [
        dose_route(
            "dose_limits_held",
            "limits/held",
            held,
            "Every limit as it holds now: between which numbers a dose is believed, and why.",
        )
    ]
