"""The irradiation events and administrations of the dose list, one a row: for analysis outside, and by their own
values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.dose.quantities import OF_EVENT, QUANTITIES, ShownQuantity
from treegarth.features.dose.registry.conditions import DoseConditions
from treegarth.features.dose.registry.pages.doses import FILTERS, asked_of_both, ranges
from treegarth.features.dose.registry.pages.names import KIND_NAMES
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.shown_quantities import SHORT
from treegarth.features.dose.registry.shown_tables import readable_meaning
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.features.dose.registry.store.events import OF_KIND, DoseEvent, select_events
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.export import Sheet
from treegarth.web.listing import Column, Empty, Listing

SHOWN: dict[str, ShownQuantity] = {
    **{one.column: one for one in OF_EVENT},
    "administered_activity_mbq": QUANTITIES["administered_activity_mbq"],
}
OF_KIND_SHOWN: dict[str, tuple[str, ...]] = {
    "ct": ("mean_ctdi_vol_mgy", "dlp_mgy_cm"),
    "projection": ("dose_area_product_gy_m2", "dose_rp_gy"),
    "mammography": ("average_glandular_dose_mgy",),
    "radiopharmaceutical": ("administered_activity_mbq",),
}


def find(asker: Asker, connection: Connection, asked: DoseConditions) -> Select[Any]:
    return select_events(connection, asked.filter(asker.today))


def extras(
    call: AnyCall, connection: Connection, asked: DoseConditions, events: Sequence[DoseEvent]
) -> Mapping[str, Any]:
    which = told_apart_with_kept(connection, events)
    return {
        "addresses": {event.orthanc_study_id: study_address(call, event, which(event)) for event in events},
        "doses": SHOWN,
        "short": SHORT,
        "readable": readable_meaning,
        "of_kind": OF_KIND_SHOWN,
        "kinds": KIND_NAMES,
        "exams_url": call.site.url("dose.doses_page", **asked_of_both(call)),
        "device_names": shown_devices(connection, {one.device_key for one in events if one.device_key}),
        **ranges(),
    }


def _dose(name: str) -> Column:
    quantity = SHOWN[name]
    return Column(name=name, label=quantity.label, unit=quantity.unit, form="number", sorts_by=())


def _plain(name: str, label: str, narrow: str = "", unit: str = "") -> Column:
    return Column(name=name, label=label, sorts_by=(), narrow=narrow, unit=unit)


WHICH = (
    _plain("patient_name", N_("Patient")),
    _plain("patient_id", N_("Patient ID"), "c-1"),
    Column(
        name="study_date",
        label=N_("Study date"),
        sorts_by=("study_date", "study_time", "orthanc_study_id"),
        nulls_first=True,
    ),
    _plain("acquisition_protocol", N_("Protocol"), "c-0"),
)
"""Before the doses, which are in sight however narrow the page is."""
ABOUT = (
    _plain("irradiation_event_type", N_("Type"), "c-1"),
    _plain("study_description", N_("Description"), "c-2"),
    _plain("target_region", N_("Region"), "c-3"),
    _plain("manufacturer_model_name", N_("Equipment"), "c-3"),
)
DOSE = Column(name="dose", label=N_("Dose"), form="own", sorts_by=())
X_RAYS = (_plain("kvp", N_("KVP"), "c-3", "kV"), _plain("x_ray_tube_current_ma", N_("Tube current"), "c-3", "mA"))
GIVEN = (_plain("agent", N_("Radiopharmaceutical")), _plain("radionuclide", N_("Radionuclide")))


def shown(asked: DoseConditions, events: Sequence[DoseEvent]) -> Sequence[Column]:
    """The quantities of the kind that is listed, else those of each row's kind in one column."""
    if asked.kind is None:
        return [*WHICH, DOSE, *ABOUT, *X_RAYS]
    more = GIVEN if asked.kind == "radiopharmaceutical" else X_RAYS
    return [*WHICH, *(_dose(name) for name in OF_KIND_SHOWN[asked.kind]), *ABOUT, *more]


def _sheet(kind: str) -> Sheet:
    """With what is of every kind, and of its own."""
    of_others = {name for names in OF_KIND.values() for name in names} - {*OF_KIND[kind]}
    return Sheet(name=kind, holds=lambda event: event.kind == kind, leaves_out=sorted(of_others))


EVENTS = Listing(
    name="dose.events",
    title=N_("Irradiation events"),
    counts=NN_("%(num)s irradiation event", "%(num)s irradiation events"),
    path="dose/events",
    api_name="dose_events",
    api_path="dose/events",
    tag="dose",
    summary="Irradiation events and administrations that count, each once, by the filters of the studies.",
    record=DoseEvent,
    asked=DoseConditions,
    query=find,
    unique=("orthanc_instance_id", "position"),
    order="-study_date",
    columns=(*WHICH, DOSE, *(_dose(name) for name in SHOWN), *ABOUT, *X_RAYS, *GIVEN),
    shown=shown,
    filters=FILTERS,
    period="period",
    sheets=[_sheet(kind) for kind in OF_KIND],
    empty=Empty(
        title=N_("No irradiation events yet"),
        text=N_("The irradiation events and administrations of every study with a dose are listed here, each once."),
        filtered=N_("No irradiation event fits these filters"),
        advice=N_("Take a filter away, or widen the dates."),
    ),
    template="dose/events.html",
    extras=extras,
)
