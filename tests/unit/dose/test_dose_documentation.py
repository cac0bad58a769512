"""docs/dose.md names everything that the reader gives, with its unit, and the names say their units."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from treegarth.features.dose.reading import (
    acquisition,
    calibration,
    ct,
    ct_images,
    dose_check,
    effective_dose,
    exposure,
    irradiation_details,
    nuclear_images,
    participants,
    patient_dose,
    philips,
    projection,
    radiopharmaceutical,
    size_specific,
    x_ray_images,
)
from treegarth.features.dose.reading.fields import Number
from treegarth.features.dose.registry.rules import Rule

PAGE = (Path(__file__).parents[3] / "docs/dose.md").read_text("utf-8")
TABLES = [
    *(ct.TOTALS, ct.ACQUISITION, ct.PARAMETERS, ct.SOURCE, ct.DOSE),
    *(projection.TOTALS, projection.PLANE, projection.EVENT, projection.FILTER, projection.SIEMENS_TOTALS),
    *(acquisition.REPEATED, acquisition.BELOW_REPEATED, acquisition.BELOW_LABEL, calibration.CALIBRATION),
    *(dose_check.ALERT, dose_check.NOTIFICATION, effective_dose.BASIS, effective_dose.CONDITION),
    *(irradiation_details.ATTENUATOR, irradiation_details.OUTPUT, irradiation_details.OF_WHAT),
    *(participants.PERSON, participants.OBSERVER, participants.DEVICE),
    *(size_specific.SIZE_SPECIFIC, size_specific.DIAMETER, size_specific.AT_Z),
    *(radiopharmaceutical.ADMINISTRATION, radiopharmaceutical.VIALS, radiopharmaceutical.MEASURED_WITH),
    *(radiopharmaceutical.PATIENT, philips.XPER, patient_dose.ESTIMATE, patient_dose.DOSES),
]
FIELDS = [field for table in TABLES for field in table.values()]
SUFFIXES = {
    "Gy.m2": "gy_m2", "mGy.cm": "mgy_cm", "mGy": "mgy", "Gy": "gy", "mSv": "msv", "MBq": "mbq", "mm": "mm",
    "mm2": "mm2", "m2": "m2", "s": "s", "ms": "ms", "mA": "ma", "uA.s": "uas", "kV": "kvp", "deg": "deg",
    "N": "n", "kPa": "kpa",
    "mL": "ml", "1/s": "per_s", "mGy/mA.s": "mgy_per_mas", "mSv/mGy.cm": "msv_per_mgy_cm", "a": "years", "m": "m",
    "kg": "kg", "mg/dL": "mg_per_dl", "%": "percent", "Bq/mmol": "bq_per_mmol", "kg/m2": "kg_per_m2", "h": "h",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({field.name for field in FIELDS}))
def test_every_name_stands_in_the_documentation(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("module", [ct_images, exposure, nuclear_images, x_ray_images])
def test_every_name_from_a_header_stands_in_the_documentation(module):
    source = inspect.getsource(module)
    names = {*re.findall(r"^ +([a-z][a-z_]+)=", source, re.M), *re.findall(r'^ +"([a-z][a-z_]+)":', source, re.M)}
    names -= {"kind", "totals", "irradiation_events", "administrations", "key"}
    assert names
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_stands_in_the_documentation(rule):
    assert f"`{rule}`" in PAGE


def test_a_name_ends_with_its_unit():
    numbers = [field for field in FIELDS if isinstance(field, Number) and field.unit != "1"]
    assert [field for field in numbers if not field.name.endswith(SUFFIXES[field.unit])] == []
