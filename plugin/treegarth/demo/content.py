"""Content items of structured reports (PS3.3 C.17.3), one small function a value type. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from treegarth.demo.attributes import code_items, dicom_datetime
from treegarth.demo.codes import AUTOMATED, DIAGNOSTIC_INTENT, STUDY_SCOPE, Code, dcm, sct, ucum
from treegarth.demo.studies import Equipment, Study

Relationship = Literal["CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES"]


def _item(value_type: str, concept: Code, relationship: Relationship, children: Iterable[Dataset]) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    item.ConceptNameCodeSequence = code_items(concept)
    content = list(children)
    if content:
        item.ContentSequence = content
    return item


def container(concept: Code, *children: Dataset, relationship: Relationship = "CONTAINS") -> Dataset:
    item = _item("CONTAINER", concept, relationship, children)
    item.ContinuityOfContent = "SEPARATE"
    return item


def number(concept: Code, value: float | None, unit: Code, *, relationship: Relationship = "CONTAINS") -> Dataset:
    """A measurement; None writes an empty Measured Value Sequence, which says that there is no value."""
    item = _item("NUM", concept, relationship, ())
    item.MeasuredValueSequence = []
    if value is not None:
        measured = Dataset()
        measured.NumericValue = DSfloat(value, auto_format=True)
        measured.MeasurementUnitsCodeSequence = code_items(unit)
        item.MeasuredValueSequence = [measured]
    return item


def coded(concept: Code, value: Code, *children: Dataset, relationship: Relationship = "CONTAINS") -> Dataset:
    item = _item("CODE", concept, relationship, children)
    item.ConceptCodeSequence = code_items(value)
    return item


def text(concept: Code, value: str, *, relationship: Relationship = "CONTAINS") -> Dataset:
    item = _item("TEXT", concept, relationship, ())
    item.TextValue = value
    return item


def identifier(concept: Code, value: str, *, relationship: Relationship = "CONTAINS") -> Dataset:
    item = _item("UIDREF", concept, relationship, ())
    item.UID = value
    return item


def moment(concept: Code, value: datetime, *, relationship: Relationship = "CONTAINS") -> Dataset:
    item = _item("DATETIME", concept, relationship, ())
    item.DateTime = dicom_datetime(value)
    return item


def present(*items: Dataset | None) -> list[Dataset]:
    """The items that are there."""
    return [item for item in items if item is not None]


def optional_number(concept: Code, value: float | None, unit: Code) -> Dataset | None:
    """The measurement, or nothing where there is no value to report."""
    return None if value is None else number(concept, value, unit)


def procedure_reported(procedure: Code) -> Dataset:
    intent = coded(sct("363703001", "Has Intent"), DIAGNOSTIC_INTENT, relationship="HAS CONCEPT MOD")
    return coded(dcm("121058", "Procedure reported"), procedure, intent, relationship="HAS CONCEPT MOD")


def device_observer(equipment: Equipment) -> list[Dataset]:
    """Observer Context of a device (PS3.16 TID 1002 and TID 1004)."""
    return [
        coded(dcm("121005", "Observer Type"), dcm("121007", "Device"), relationship="HAS OBS CONTEXT"),
        identifier(dcm("121012", "Device Observer UID"), equipment.device_uid, relationship="HAS OBS CONTEXT"),
        text(dcm("121013", "Device Observer Name"), equipment.station_name, relationship="HAS OBS CONTEXT"),
        text(dcm("121014", "Device Observer Manufacturer"), equipment.manufacturer, relationship="HAS OBS CONTEXT"),
        text(dcm("121015", "Device Observer Model Name"), equipment.model, relationship="HAS OBS CONTEXT"),
        text(dcm("121016", "Device Observer Serial Number"), equipment.serial_number, relationship="HAS OBS CONTEXT"),
        coded(
            dcm("113876", "Device Role in Procedure"),
            dcm("113859", "Irradiating Device"),
            relationship="HAS OBS CONTEXT",
        ),
    ]


def scope_of_accumulation(study: Study) -> Dataset:
    """The whole study (PS3.16 CID 10000 and CID 10001)."""
    study_uid = identifier(dcm("110180", "Study Instance UID"), study.study_instance_uid, relationship="HAS PROPERTIES")
    return coded(dcm("113705", "Scope of Accumulation"), STUDY_SCOPE, study_uid, relationship="HAS OBS CONTEXT")


def source_of_dose_information() -> Dataset:
    return coded(dcm("113854", "Source of Dose Information"), AUTOMATED)


def number_of_events(count: int) -> Dataset:
    return number(dcm("113812", "Total Number of Irradiation Events"), count, ucum("{events}", "events"))
