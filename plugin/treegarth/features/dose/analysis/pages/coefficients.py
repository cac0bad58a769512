"""By which coefficients doses are derived: each with its source, the shipped ones and the site's own."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.api.coefficients import held_coefficients
from treegarth.features.dose.analysis.derived.coefficients import TITLES, UNITS
from treegarth.features.dose.analysis.derived.regions import REGIONS
from treegarth.features.dose.analysis.store.coefficient_documents import COEFFICIENTS
from treegarth.features.dose.analysis.store.derived import coefficients_of
from treegarth.features.dose.quantities import DERIVED
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page

PAGE = "dose.coefficients_page"


class CoefficientsQuery(Parameters):
    """Which coefficients of the site are listed."""

    removed: bool = False
    """Whether those that were removed are listed too."""


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/coefficients",
            permission=Permission.SEE_DOSE,
            handler=coefficients_page,
            summary="By which coefficients doses are derived, each with its source.",
        )
    ]


def coefficients_page(call: Call[CoefficientsQuery, None, None]) -> Response:
    with call.connect() as connection:
        held = held_coefficients(coefficients_of(connection))
        own = COEFFICIENTS.all(connection, removed=call.query.removed)
    return render_page(
        call,
        "dose/coefficients.html",
        tables=[
            (name, title, UNITS[name], [one for one in held if one.table == name]) for name, title in TITLES.items()
        ],
        count=len(held),
        formulas=[one for one in DERIVED.values() if one.formula],
        regions=REGIONS,
        own=own,
        with_removed=call.query.removed,
        may_change=call.actor.may(Permission.DECIDE_DOSE),
    )
