"""One device: what it is called, its examinations over time, and since when it says what of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import InvalidRequest, NotFound, RequestConflict
from treegarth.features.dose.registry.device_parameters import LONGEST_NAME, Called, Version
from treegarth.features.dose.registry.pages.names import kinds_in_words
from treegarth.features.dose.registry.paths import DevicePath
from treegarth.features.dose.registry.store import device_names
from treegarth.features.dose.registry.store.device_history import DeviceChange, What, changes_of, months_of
from treegarth.features.dose.registry.store.device_names import UNKNOWN, naming_of, shown_devices
from treegarth.features.dose.registry.store.equipment import find_device
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

PAGE = "dose.device_page"
MONTHS_DRAWN = 36
"""Of a chart; the table beside it has them too, the API every month."""
WHAT: dict[What, str] = {
    "serial_number": N_("Serial number"),
    "software_versions": N_("Software version"),
    "detector_id": N_("Detector"),
    "detector_calibration": N_("Calibration of the detector"),
    "calibration": N_("Calibration"),
}


class DeviceQuery(Parameters):
    """How its months are shown."""

    months: Literal["chart", "table"] = "chart"
    """As a chart, or as the table that it is drawn from."""


class DeviceForm(Parameters):
    """What the form of the page sends."""

    act: Literal["name", "take back"] = "name"
    display_name: Called = None
    location: Called = None
    version: Version = 0
    """The latest change that the person saw; 0 before the first."""


@dataclass(frozen=True, kw_only=True)
class ShownChange:
    """A value with the exams before it and from it on."""

    change: DeviceChange
    what: str  # a msgid
    before_url: str | None
    after_url: str


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/equipment/{device_key}",
            permission=Permission.SEE_DOSE,
            handler=device_page,
            summary="One device: its name, its examinations by month, and what changed of it.",
        ),
        route(
            name="dose.name_device_page",
            path="/treegarth/dose/equipment/{device_key}",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=name,
            summary="Say what a device is called and where it stands, or take the latest change back.",
        ),
    ]


def device_page(call: Call[DeviceQuery, None, DevicePath]) -> Response:
    key = call.path.device_key
    with call.connect() as connection:
        device = find_device(connection, key)
        if device is None:
            raise NotFound(UNKNOWN)
        changes = changes_of(connection, key)
        names = shown_devices(connection, {key, *(one.device_key for one in changes)})
        months = months_of(connection, key)
        history = naming_of(connection, key)
    return render_page(
        call,
        "dose/device.html",
        device=device,
        name=names[key],
        names=names,
        kinds=kinds_in_words(device.kinds),
        months=months[:MONTHS_DRAWN],
        older=sum(one.study_count for one in months[MONTHS_DRAWN:]),
        as_table=call.query.months == "table",
        changes=[_shown(call, one) for one in changes],
        history=history,
        version=history[0].version if history else 0,
        longest_name=LONGEST_NAME,
        may_name=call.actor.may(Permission.DECIDE_DOSE),
    )


def _shown(call: AnyCall, change: DeviceChange) -> ShownChange:
    def exams(**days: date) -> str:
        asked = {name: day.isoformat() for name, day in days.items()}
        return call.site.url("dose.doses_page", device=change.device_key, **asked)

    before = exams(study_date_to=change.first_study_date - timedelta(days=1)) if change.before is not None else None
    return ShownChange(
        change=change,
        what=WHAT[change.what],
        before_url=None if change.what == "serial_number" else before,
        after_url=exams(study_date_from=change.first_study_date),
    )


def name(call: Call[None, DeviceForm, DevicePath]) -> Response:
    """Back to the page afterwards, by GET."""
    body, key = call.body, call.path.device_key
    by, now, here = call.actor.name, call.services.clock(), call.site.url(PAGE, device_key=key)
    try:
        with call.begin() as connection:
            if body.act == "take back":
                device_names.take_back(connection, key, since=body.version, by=by, now=now)
            else:
                device_names.name_device(
                    connection, key, display_name=body.display_name, location=body.location, since=body.version,
                    by=by, now=now,
                )  # fmt: skip
    except (RequestConflict, InvalidRequest) as refused:
        return see_other(call, here, refused.sentence, kind="attention")
    return see_other(call, here, P_("It is called so from now on, wherever it is shown."))
