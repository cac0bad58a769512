"""Keep what is derived of exams, in the transaction that decides them, and tell it. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ARRAY, Connection, Text, any_, cast, delete, func, insert, select

from treegarth.features.dose.analysis.derived import Coefficient, Coefficients, Found
from treegarth.features.dose.analysis.derived.model import Derived
from treegarth.features.dose.analysis.tables import (
    derived_dose,
    derived_missing,
    dose_coefficient,
    dose_coefficient_version,
)
from treegarth.features.dose.quantities import DERIVED
from treegarth.record import Record

WRITTEN = ("effective_dose_ct_msv", "effective_dose_nm_msv", "activity_at_scan_mbq", "activity_per_weight_mbq_per_kg")
"""The quantities that follow from a decision; what is worked out of images has a writer of its own."""

OTHER = "OT"
"""Until a series tells a modality (`values.py`)."""


class DerivedDose(Record):
    """A quantity that follows from others by a formula."""

    quantity: str
    """With the unit at its end."""
    value: float
    is_doubted: bool
    """As a dose that it is derived from is."""
    method: str
    """The formula; `GET dose/coefficients/held` has the coefficients and their sources."""
    details: dict[str, Any]
    """What went into it: of each event or administration in `lines`."""


class NotDerived(Record):
    """Why there is none of a quantity."""

    quantity: str
    reason: str


def coefficients_of(connection: Connection) -> Coefficients:
    """Those that hold here."""
    return Coefficients(own_coefficients(connection))


def own_coefficients(connection: Connection) -> list[Coefficient]:
    """The site's own that are on, the later ones last."""
    rows = connection.execute(select(dose_coefficient).where(dose_coefficient.c.is_on).order_by(dose_coefficient.c.id))
    return [
        Coefficient(
            table=row.coefficient_table,
            of=row.of,
            name=row.name,
            age_group=row.age_group,
            phantom=row.phantom,
            value=row.value,
            source=row.source,
            is_site=True,
        )
        for row in rows
    ]


def count_changes(connection: Connection) -> int:
    """How often a site changed its coefficients."""
    return int(connection.execute(select(func.count()).select_from(dose_coefficient_version)).scalar_one())


def write_derived(connection: Connection, derived: Mapping[str, Sequence[Derived]]) -> None:
    """Make the rows of these studies what was derived of them; what others derive stays."""
    studies = any_(cast(sorted(derived), ARRAY(Text)))
    for table in (derived_dose, derived_missing):
        ours = table.c.quantity == any_(cast(list(WRITTEN), ARRAY(Text)))
        connection.execute(delete(table).where(table.c.orthanc_study_id == studies, ours))
    found = [_row(study, one) for study, given in derived.items() for one in given if isinstance(one, Found)]
    missing = [
        {"orthanc_study_id": study, "quantity": one.quantity, "reason": one.reason}
        for study, given in derived.items()
        for one in given
        if not isinstance(one, Found)
    ]
    if found:
        connection.execute(insert(derived_dose), found)
    if missing:
        connection.execute(insert(derived_missing), missing)


def _row(study: str, found: Found) -> dict[str, Any]:
    return {
        "orthanc_study_id": study,
        "quantity": found.quantity,
        "modality": "CT" if DERIVED[found.quantity].kind == "ct" else OTHER,
        "value": found.value,
        "method": DERIVED[found.quantity].formula,
        "is_doubted": found.is_doubted,
        "details": {"lines": [asdict(one) for one in found.lines]},
    }


def derived_of_study(connection: Connection, orthanc_study_id: str) -> list[DerivedDose]:
    """In the order of `DERIVED`."""
    query = select(derived_dose).where(derived_dose.c.orthanc_study_id == orthanc_study_id)
    found = [DerivedDose(**_named(row._mapping, DerivedDose)) for row in connection.execute(query)]
    return sorted(found, key=_place)


def not_derived_of_study(connection: Connection, orthanc_study_id: str) -> list[NotDerived]:
    """In the order of `DERIVED`."""
    query = select(derived_missing).where(derived_missing.c.orthanc_study_id == orthanc_study_id)
    found = [NotDerived(**_named(row._mapping, NotDerived)) for row in connection.execute(query)]
    return sorted(found, key=_place)


def _named(row: Mapping[Any, Any], record: type[Record]) -> dict[str, Any]:
    return {name: row[name] for name in record.model_fields}


def _place(one: DerivedDose | NotDerived) -> tuple[int, str]:
    names = list(DERIVED)
    return names.index(one.quantity) if one.quantity in names else len(names), one.quantity
