"""The devices of the registry: what each did, when last, and what its examinations give. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from treegarth.features.dose.quantities import QUANTITIES, ShownQuantity
from treegarth.features.dose.registry.pages.names import kinds_in_words
from treegarth.features.dose.registry.store.device_figures import DeviceFigure, figures_by_device
from treegarth.features.dose.registry.store.equipment import Device, list_equipment
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import in_words, ngettext_for, translated
from treegarth.web.routes import Route
from treegarth.web.templates import render_page


@dataclass(frozen=True, kw_only=True)
class ShownFigure:
    label: str
    quantity: ShownQuantity
    figure: DeviceFigure


@dataclass(frozen=True, kw_only=True)
class ShownDevice:
    """A line of the table."""

    device: Device
    kinds: str
    figures: list[ShownFigure]
    url: str


def routes() -> list[Route]:
    return [
        route(
            name="dose.equipment_page",
            path="/treegarth/dose/equipment",
            permission=Permission.VIEW,
            handler=equipment_page,
            summary="The devices of the registry with their counts and the distribution of their doses.",
        )
    ]


def equipment_page(call: Call[None, None, None]) -> Response:
    with call.connect() as connection:
        devices = list_equipment(connection)
        figures = figures_by_device(connection)
    return render_page(
        call,
        "dose/equipment.html",
        devices=[_shown(call, device, figures.get(device.key, [])) for device in devices],
        counted=ngettext_for(call, "%(num)s device", "%(num)s devices", len(devices)),
    )


def _shown(call: AnyCall, device: Device, figures: list[DeviceFigure]) -> ShownDevice:
    return ShownDevice(
        device=device,
        kinds=", ".join(in_words(call, kind) for kind in kinds_in_words(device.kinds)),
        figures=[
            ShownFigure(
                label=translated(call, QUANTITIES[figure.quantity].label),
                quantity=QUANTITIES[figure.quantity],
                figure=figure,
            )
            for figure in figures
        ],
        url=call.site.url("dose.doses_page", device=device.key),
    )
