"""What each device gives: the distribution of the quantity that its kind of examination is known by. Queries only.

Phantom, QA and service studies do not count; nor does what a report does not say. Unlike quantities stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, literal, select, union_all

from treegarth.features.dose.store.filtering import device_key
from treegarth.features.dose.tables import dose_study


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """The distribution of one quantity over the `count` studies (breasts for glandular dose) that report it."""

    quantity: str  # dlp_total_mgy_cm, dose_area_product_total_gy_m2 or glandular_dose_mgy
    count: int
    median: float
    upper_quartile: float
    percentile_95: float


_VALUES: Sequence[tuple[str, ColumnElement[float]]] = (
    ("dlp_total_mgy_cm", dose_study.c.dlp_total_mgy_cm),
    ("dose_area_product_total_gy_m2", dose_study.c.dose_area_product_total_gy_m2),
    ("glandular_dose_mgy", dose_study.c.glandular_dose_left_mgy),
    ("glandular_dose_mgy", dose_study.c.glandular_dose_right_mgy),
)


def figures_by_device(connection: Connection) -> dict[str, list[Figure]]:
    """By the device's key (see `device_key`), each quantity that it reports."""
    values = union_all(
        *(
            select(device_key(dose_study.c).label("key"), literal(name).label("quantity"), value.label("value")).where(
                value.is_not(None), dose_study.c.not_patient.is_(None)
            )
            for name, value in _VALUES
        )
    ).subquery()
    median, upper, high = (func.percentile_cont(part).within_group(values.c.value) for part in (0.5, 0.75, 0.95))
    query = (
        select(values.c.key, values.c.quantity, func.count(), median, upper, high)
        .group_by(values.c.key, values.c.quantity)
        .order_by(values.c.key, values.c.quantity)
    )
    found: dict[str, list[Figure]] = {}
    for key, quantity, count, *parts in connection.execute(query):
        figure = Figure(
            quantity=quantity, count=count, median=parts[0], upper_quartile=parts[1], percentile_95=parts[2]
        )
        found.setdefault(key, []).append(figure)
    return found
