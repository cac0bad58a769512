"""The list of the devices of the registry: what each did, when last, and what its examinations give. Reads only.

No order has an index: the devices are a few hundred at most, and counted anew for every page. All that is counted
stands in one index, so that no study is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.dose.quantities import QUANTITIES
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.pages.names import KIND_NAMES, kinds_in_words
from treegarth.features.dose.registry.store.device_names import NAMES, shown_devices
from treegarth.features.dose.registry.store.equipment import Device, select_equipment
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Parameters, Text


class EquipmentAsked(Parameters):
    """Which devices."""

    equipment: Text | None = None
    """A part of what people call it, of its place, of the manufacturer's, the model's or the station's name, or of the
    serial number."""
    kind: Kind | None = None
    """With examinations of this kind."""
    with_doubted: bool = False
    """Whether doses that are doubted are in the figures."""


def find(asker: Asker, connection: Connection, asked: EquipmentAsked) -> Select[Any]:
    return select_equipment(equipment=asked.equipment, kind=asked.kind, with_doubted=asked.with_doubted)


def extras(
    call: AnyCall, connection: Connection, asked: EquipmentAsked, devices: Sequence[Device]
) -> Mapping[str, Any]:
    return {
        "quantities": QUANTITIES,
        "kinds_in_words": kinds_in_words,
        "device_names": shown_devices(connection, [one.key for one in devices]),
    }


FIGURES = (
    Column(name="quantity", label=N_("Quantity"), sorts_by=()),
    Column(name="count", label="n", form="number", sorts_by=()),
    Column(name="median", label=N_("Median"), form="number", sorts_by=()),
    Column(name="upper_quartile", label="75 %%", form="number", sorts_by=(), narrow="c-0"),
    Column(name="percentile_95", label="95 %%", form="number", sorts_by=(), narrow="c-1"),
)
"""Each with a line for each quantity of the device. Templates take labels for forms: `%%` is one `%`."""
EQUIPMENT = Listing(
    name="dose.equipment",
    title=N_("Equipment"),
    counts=NN_("%(num)s device", "%(num)s devices"),
    path="dose/equipment",
    api_name="dose_equipment",
    api_path="dose/equipment",
    tag="dose",
    summary="Every device, and what its examinations give.",
    record=Device,
    asked=EquipmentAsked,
    query=find,
    unique="key",
    order="manufacturer",
    columns=(
        Column(name="display_name", label=N_("Device"), form="own", sorts_by=("display_name", *NAMES)),
        Column(name="location", label=N_("Location"), narrow="c-4"),
        Column(name="manufacturer", label=N_("Manufacturer"), sorts_by=NAMES, narrow="c-3"),
        Column(name="manufacturer_model_name", label=N_("Model"), narrow="c-4"),
        Column(name="station_name", label=N_("Station"), narrow="c-4"),
        Column(name="device_serial_number", label=N_("Serial number"), narrow="c-3"),
        Column(name="kinds", label=N_("Kind"), form="own", narrow="c-1"),
        Column(name="study_count", label=N_("Studies")),
        Column(name="not_patient_count", label=N_("Not of patients"), narrow="c-4"),
        Column(name="issue_count", label=N_("Not read"), narrow="c-4"),
        Column(name="first_study_date", label=N_("First seen"), narrow="c-4"),
        Column(name="last_study_date", label=N_("Last seen")),
        *FIGURES,
    ),
    filters=(
        Filter(name="equipment", label=N_("Equipment"), width="wide"),
        Filter(name="kind", label=N_("Kind"), choices={str(kind): name for kind, name in KIND_NAMES.items()}),
        Filter(name="with_doubted", label=N_("Doubted doses"), choices={"true": N_("in the figures too")}),
    ),
    empty=Empty(
        title=N_("No devices yet"),
        text=N_(
            "Every device whose dose reports were read is listed here with what it did and what its examinations "
            "give. Let the first modality send its dose reports."
        ),
        filtered=N_("No device fits these filters"),
    ),
    template="dose/equipment.html",
    extras=extras,
)
