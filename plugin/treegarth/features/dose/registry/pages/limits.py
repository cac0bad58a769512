"""Between which numbers a dose is believed: built-in limits with their reasons, and what the site says otherwise."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.dose.plausibility import BUILT_IN
from treegarth.features.dose.registry.api.limits import LIMIT_DOCUMENTS, held_limits
from treegarth.features.dose.registry.store.limit_documents import LIMITS
from treegarth.phrases import P_, Phrase
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import AnyText, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

PAGE = "dose.limits_page"


class LimitsQuery(Parameters):
    """Which limits of the site are listed."""

    removed: bool = False
    """Whether those that were removed are listed too."""


class LimitForm(Parameters):
    """What the form of the page sends; the model of the documents says what is wrong with it."""

    quantity: Text = ""
    least: Text = ""
    greatest: Text = ""
    reason: Annotated[AnyText, Field(max_length=1000)] = ""


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/limits",
            permission=Permission.SEE_DOSE,
            handler=limits_page,
            summary="Between which numbers a dose is believed, and why.",
        ),
        route(
            name="dose.add_limit_page",
            path="/treegarth/dose/limits",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=add,
            summary="Set a limit of plausibility for this site.",
        ),
    ]


def limits_page(call: Call[LimitsQuery, None, None]) -> Response:
    with call.connect() as connection:
        return render_page(
            call,
            "dose/plausibility.html",
            held=held_limits(connection),
            own=LIMITS.all(connection, removed=call.query.removed),
            labels={name: one.shown for name, one in BUILT_IN.items()},
            with_removed=call.query.removed,
            may_change=call.actor.may(Permission.DECIDE_DOSE),
        )


def add(call: Call[None, LimitForm, None]) -> Response:
    """Back to the list afterwards, by GET; called by its quantity."""
    form, said = call.body, []
    document: dict[str, object] = {"name": form.quantity, "quantity": form.quantity}
    for name in ("least", "greatest"):
        text = getattr(form, name).strip()
        try:
            document |= {name: float(text)} if text else {}
        except ValueError:
            said.append(P_("“%(text)s” is no number.", text=text[:40]))
    document |= {"reason": form.reason.strip()} if form.reason.strip() else {}
    url = call.site.url(PAGE)
    if said:
        return see_other(call, url, *said, kind="attention")
    try:
        with call.begin() as connection:
            LIMIT_DOCUMENTS.create(call, connection, document)
    except DocumentRefused as refused:
        return see_other(call, url, *(Phrase(one.wrong) for one in refused.problems), kind="attention")
    except RequestConflict as refused:
        return see_other(call, url, refused.sentence, kind="attention")
    return see_other(call, url, P_("It holds from now on; every dose is decided anew."))
