"""One device over HTTP: what it is called, its months, and what changed of it."""

from __future__ import annotations

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.device_parameters import Called, Version
from treegarth.features.dose.registry.paths import DevicePath
from treegarth.features.dose.registry.store import device_names
from treegarth.features.dose.registry.store.device_history import DeviceChange, MonthOfExams, changes_of, months_of
from treegarth.features.dose.registry.store.device_names import UNKNOWN, DeviceNaming, naming_of
from treegarth.features.dose.registry.store.equipment import Device, find_device
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Parameters, Route


class OneDevice(Answer):
    """A device, and what is known of it over time."""

    device: Device
    names: list[DeviceNaming]
    """Every change of its name and place, the latest first."""
    months: list[MonthOfExams]
    """Those with a study, the latest first."""
    changes: list[DeviceChange]
    """What it says of itself, the latest first seen first."""


class NameBody(Parameters):
    """What a device is called from now on."""

    display_name: Called = None
    """Null: what its objects call it."""
    location: Called = None
    """A room, a building."""
    version: Version
    """The latest change that is known to the caller; 0 before the first."""


class TakeBackBody(Parameters):
    """Which change is taken back."""

    version: Version
    """The latest: what was before it holds again."""


def one(call: Call[None, None, DevicePath]) -> OneDevice:
    key = call.path.device_key
    with call.connect() as connection:
        device = find_device(connection, key)
        if device is None:
            raise NotFound(UNKNOWN)
        return OneDevice(
            device=device,
            names=naming_of(connection, key),
            months=months_of(connection, key),
            changes=changes_of(connection, key),
        )


def name(call: Call[None, NameBody, DevicePath]) -> DeviceNaming:
    body = call.body
    with call.begin() as connection:
        return device_names.name_device(
            connection,
            call.path.device_key,
            display_name=body.display_name,
            location=body.location,
            since=body.version,
            by=call.actor.name,
            now=call.services.clock(),
        )


def take_back(call: Call[None, TakeBackBody, DevicePath]) -> DeviceNaming:
    by, now = call.actor.name, call.services.clock()
    with call.begin() as connection:
        return device_names.take_back(connection, call.path.device_key, since=call.body.version, by=by, now=now)


def routes() -> list[Route]:
    return [
        dose_route(
            "dose_device",
            "equipment/{device_key}",
            one,
            "One device: its names, its examinations by month, what changed of it.",
        ),
        dose_route(
            "dose_name_device",
            "equipment/{device_key}/name",
            name,
            "Say what a device is called and where it stands.",
            method="PUT",
            permission=Permission.DECIDE_DOSE,
            problems=(409, 503),
        ),
        dose_route(
            "dose_take_device_name_back",
            "equipment/{device_key}/name/take-back",
            take_back,
            "Take the latest change of a device's name back.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            problems=(409, 503),
        ),
    ]
