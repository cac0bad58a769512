"""One patient's examinations with dose, in the order of time, and what of it adds up. Queries only.

A patient is a Patient ID and, where it is given, its issuer (PS3.3 C.7.1.1). Sums are of the best known doses and kept
apart by quantity: DLP by the phantom that it refers to, for 16 cm and 32 cm are unlike, activity by radionuclide,
glandular dose by breast. What belongs to no part that is told is in none of these sums: DLP of a phantom that is not
told has one of its own, and the studies are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from treegarth.errors import RequestConflict
from treegarth.features.dose.quantities import best_column
from treegarth.features.dose.registry.decision.facts import BODY, HEAD
from treegarth.features.dose.registry.store.studies import DoseStudy, columns_of_studies
from treegarth.features.dose.registry.tables import dose_study
from treegarth.features.dose.sums import known_sum
from treegarth.phrases import P_
from treegarth.record import Record

UNDIVIDED = {
    "dose_area_product_total_gy_m2": "best_dose_area_product_gy_m2",
    "dose_rp_total_gy": "best_dose_rp_gy",
    "glandular_dose_left_mgy": "best_glandular_dose_left_mgy",
    "glandular_dose_right_mgy": "best_glandular_dose_right_mgy",
    "effective_dose_msv": "effective_dose_msv",
}
"""The name of a sum, and what of a study it adds."""

ACTIVITY = "administered_activity_mbq"
UNKNOWN = "unknown"
"""What a DLP is of whose phantom is not told."""

UNATTRIBUTED = {
    "dlp_mgy_cm": "dlp_total_mgy_cm",
    "administered_activity_mbq": "administered_activity_mbq",
    "glandular_dose_left_mgy": "glandular_dose_left_mgy",
    "glandular_dose_right_mgy": "glandular_dose_right_mgy",
}
"""Quantities that have parts, and the name of their sums."""


class Cumulative(Record):
    """The sum of one quantity over the studies that have it: `of` says of what it is (phantom, radionuclide).
    `unattributed_count` studies have some of the quantity that is of no phantom, radionuclide or breast that is
    told. `value` is None where the sum is too large for a number."""

    name: str
    """The quantity, with its unit."""
    of: str | None
    """Of which phantom or radionuclide; `unknown` is DLP whose phantom is not told."""
    value: float | None
    """Null where the sum is too large for a number."""
    study_count: int
    """n: the studies that have it."""
    unattributed_count: int = 0
    """Studies with some of the quantity that is of no phantom, radionuclide or breast that is told."""
    doubted_count: int = 0
    """Of the studies in the sum, those whose dose is doubted."""
    implausible_count: int = 0
    """Studies whose dose lies outside what is given to a patient: these are not in the sum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The studies from the oldest on, and the sums. Phantom, QA and service studies, and those that another study
    replaces, are listed and not summed."""

    studies: Sequence[DoseStudy]
    cumulative: Sequence[Cumulative]


class AmbiguousPatient(RequestConflict):
    """Several issuers gave one Patient ID; `issuers` are these, None where none is named."""

    def __init__(self, issuers: Sequence[str | None]) -> None:
        super().__init__(
            P_(
                "%(count)s patients have this patient ID; issuer_of_patient_id says which one is meant.",
                count=len(issuers),
            ),
            choices=[{"issuer_of_patient_id": issuer or ""} for issuer in issuers],
        )
        self.issuers = tuple(issuers)


def patient_timeline(
    connection: Connection, patient_id: str, issuer_of_patient_id: str | None = None, *, limit: int = 1000
) -> Timeline:
    """The examinations of the patient with this Patient ID, exactly; at most the `limit` newest. An empty issuer is the
    patient without one. Raises AmbiguousPatient where none is given and several issuers gave the ID."""
    issuers = _issuers(connection, patient_id)
    if issuer_of_patient_id is None and len(issuers) > 1:
        raise AmbiguousPatient(issuers)
    columns = columns_of_studies()
    order = (
        dose_study.c.study_date.desc().nulls_last(),
        dose_study.c.study_time.desc().nulls_last(),
        dose_study.c.orthanc_study_id.desc(),
    )
    query = select(*columns).where(dose_study.c.patient_id == patient_id)
    if issuer_of_patient_id is not None:
        query = query.where(dose_study.c.issuer_of_patient_id.is_not_distinct_from(issuer_of_patient_id or None))
    studies = [DoseStudy(**row._mapping) for row in connection.execute(query.order_by(*order).limit(limit))]
    studies.reverse()
    return Timeline(studies=studies, cumulative=cumulate(studies))


def _issuers(connection: Connection, patient_id: str) -> list[str | None]:
    query = select(dose_study.c.issuer_of_patient_id).where(dose_study.c.patient_id == patient_id).distinct()
    return sorted(connection.execute(query).scalars(), key=lambda issuer: issuer or "")


@dataclass(slots=True)
class _Sum:
    values: list[float] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    implausible: set[str] = field(default_factory=set)


def cumulate(studies: Sequence[DoseStudy]) -> list[Cumulative]:
    """The sums over studies of like quantities, in a fixed order."""
    sums: dict[tuple[str, str | None], _Sum] = {}
    loose: dict[str, int] = {}
    for study in studies:
        if study.not_patient is not None or study.replaced_by is not None:
            continue
        doubts = {one.partition(":")[::2] for one in study.doubts or ()}
        for quantity, name, of, value in _quantities(study):
            entry = sums.setdefault((name, of), _Sum())
            if (quantity, "implausible") in doubts:
                entry.implausible.add(study.orthanc_study_id)
                continue
            entry.values.append(value)
            entry.studies.add(study.orthanc_study_id)
            if any(quantity == doubted for doubted, _ in doubts):
                entry.doubted.add(study.orthanc_study_id)
        for quantity in study.unattributed or ():
            loose[UNATTRIBUTED[quantity]] = loose.get(UNATTRIBUTED[quantity], 0) + 1
    summed = {name for name, _ in sums}
    sums |= {(name, None): _Sum() for name in loose if name not in summed}
    return [
        Cumulative(
            name=name,
            of=of,
            value=known_sum(one.values) if one.values else 0.0,
            study_count=len(one.studies),
            unattributed_count=loose.get(name, 0),
            doubted_count=len(one.doubted),
            implausible_count=len(one.implausible),
        )
        for (name, of), one in sorted(sums.items(), key=lambda entry: (entry[0][0], entry[0][1] or ""))
    ]


def _dlp_of_no_phantom(study: DoseStudy) -> float | None:
    """What is left of the whole beside the two phantoms, where some of it names none."""
    whole = study.best_dlp_mgy_cm if study.best_dlp_mgy_cm is not None else study.dlp_of_events_mgy_cm
    if whole is None or "dlp_mgy_cm" not in (study.unattributed or ()):
        return None
    left = whole - (study.best_dlp_head_mgy_cm or 0.0) - (study.best_dlp_body_mgy_cm or 0.0)
    return left if left > 0 else None


def _quantities(study: DoseStudy) -> Iterator[tuple[str, str, str | None, float]]:
    """What each is in a study, and in which sum it stands."""
    if study.best_dlp_head_mgy_cm is not None:
        yield "dlp_head_mgy_cm", "dlp_total_mgy_cm", HEAD, study.best_dlp_head_mgy_cm
    if study.best_dlp_body_mgy_cm is not None:
        yield "dlp_body_mgy_cm", "dlp_total_mgy_cm", BODY, study.best_dlp_body_mgy_cm
    unknown = _dlp_of_no_phantom(study)
    if unknown is not None:
        yield "dlp_mgy_cm", "dlp_total_mgy_cm", UNKNOWN, unknown
    for one in study.activities or ():
        if one["radionuclide"] is not None:
            yield ACTIVITY, ACTIVITY, one["radionuclide"], one["administered_activity_mbq"]
    for name, column in UNDIVIDED.items():
        value = getattr(study, column)
        if value is not None:
            yield column.removeprefix(best_column("")), name, None, value
