"""One patient's examinations with dose, in the order of time, and what of it adds up. Queries only.

Sums are kept apart by quantity, and DLP by the phantom it refers to: 16 cm and 32 cm are unlike. A study whose events
refer to several phantoms, or to none that is named, has a DLP that joins no sum but its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from treegarth.features.dose.store.studies import DoseStudy
from treegarth.features.dose.tables import dose_study

QUANTITIES = (
    "dose_area_product_total_gy_m2",
    "dose_rp_total_gy",
    "glandular_dose_left_mgy",
    "glandular_dose_right_mgy",
    "effective_dose_msv",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cumulative:
    """The sum of one quantity over the studies that report it: `of` says of what it is (phantom, radionuclide)."""

    name: str
    of: str | None
    value: float
    study_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The studies from the oldest on, and the sums. Phantom, QA and service studies are listed and not summed."""

    studies: Sequence[DoseStudy]
    cumulative: Sequence[Cumulative]


def patient_timeline(connection: Connection, patient_id: str, *, limit: int = 1000) -> Timeline:
    """The examinations of the patient with this Patient ID, exactly; at most the `limit` newest."""
    columns = [dose_study.c[name] for name in DoseStudy.__dataclass_fields__]
    order = (
        dose_study.c.study_date.desc().nulls_last(),
        dose_study.c.study_time.desc().nulls_last(),
        dose_study.c.orthanc_study_id.desc(),
    )
    query = select(*columns).where(dose_study.c.patient_id == patient_id).order_by(*order).limit(limit)
    studies = [DoseStudy(**row._mapping) for row in connection.execute(query)]
    studies.reverse()
    return Timeline(studies=studies, cumulative=cumulate(studies))


def cumulate(studies: Sequence[DoseStudy]) -> list[Cumulative]:
    """The sums over studies of like quantities, in a fixed order."""
    sums: dict[tuple[str, str | None], list[float]] = {}
    for study in studies:
        if study.not_patient is None:
            for name, of, value in _quantities(study):
                sums.setdefault((name, of), []).append(value)
    return [
        Cumulative(name=name, of=of, value=sum(values), study_count=len(values))
        for (name, of), values in sorted(sums.items(), key=lambda entry: (entry[0][0], entry[0][1] or ""))
    ]


def _quantities(study: DoseStudy) -> list[tuple[str, str | None, float]]:
    found: list[tuple[str, str | None, float]] = []
    phantoms = study.dlp_phantoms or ()
    if study.dlp_total_mgy_cm is not None and len(phantoms) == 1:
        found.append(("dlp_total_mgy_cm", phantoms[0], study.dlp_total_mgy_cm))
    nuclides = study.radionuclides or ()
    if study.administered_activity_mbq is not None and len(nuclides) == 1:
        found.append(("administered_activity_mbq", nuclides[0], study.administered_activity_mbq))
    for name in QUANTITIES:
        value = getattr(study, name)
        if value is not None:
            found.append((name, None, value))
    return found
