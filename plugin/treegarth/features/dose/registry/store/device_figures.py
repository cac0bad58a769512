"""What each device gives: the distribution of the quantity that its kind of examination is known by. Queries only.

Phantom, QA and service studies do not count, nor studies that another one
replaces; nor does what is not known. Unlike quantities stay apart.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, Connection, Double, Subquery, cast, func, select, type_coerce, union_all

from treegarth.database.finite_double import FiniteDouble
from treegarth.features.dose.registry.tables import dose_study
from treegarth.record import Record


class DeviceFigure(Record):
    """The distribution of one quantity over the `count` studies (breasts for glandular dose) that report it.

    A part is None where its two neighbours are too far apart for the number between them to be told.
    """

    quantity: str
    """`dlp_total_mgy_cm`, `dose_area_product_total_gy_m2`, or `glandular_dose_mgy` of one breast."""
    count: int
    """n: studies, or breasts."""
    median: float | None
    """Null, as the next two can be: the values are too far apart for a number between them to be told."""
    upper_quartile: float | None
    percentile_95: float | None


PARTS = (0.5, 0.75, 0.95)
BEST = {
    "dlp_total_mgy_cm": dose_study.c.best_dlp_mgy_cm,
    "dose_area_product_total_gy_m2": dose_study.c.best_dose_area_product_gy_m2,
}
"""The best known doses, by the names that figures have in the API."""

_SIDES = (dose_study.c.best_glandular_dose_left_mgy, dose_study.c.best_glandular_dose_right_mgy)
_COUNTED = (dose_study.c.not_patient.is_(None), dose_study.c.replaced_by.is_(None))


def figures_by_device(connection: Connection) -> dict[str, list[DeviceFigure]]:
    """By the device's key, each quantity that it reports, in the order of their names."""
    table = dose_study.c
    found: dict[str, list[DeviceFigure]] = {}
    for name, column in BEST.items():
        query = select(table.device_key.label("key"), column.label("value")).where(column.is_not(None), *_COUNTED)
        _add(found, connection, name, query.subquery())
    breasts = union_all(
        *(
            select(table.device_key.label("key"), side.label("value")).where(side.is_not(None), *_COUNTED)
            for side in _SIDES
        )
    )
    _add(found, connection, "glandular_dose_mgy", breasts.subquery())
    return {key: sorted(figures, key=lambda figure: figure.quantity) for key, figures in found.items()}


def _add(found: dict[str, list[DeviceFigure]], connection: Connection, quantity: str, values: Subquery) -> None:
    """One sort a device for all three parts."""
    parts = func.percentile_cont(cast(list(PARTS), ARRAY(Double))).within_group(values.c.value)
    finite = type_coerce(parts, ARRAY(FiniteDouble()))  # between ±1e308 PostgreSQL makes an infinity
    query = select(values.c.key, func.count(), finite).group_by(values.c.key)
    for key, count, (median, upper, high) in connection.execute(query):
        figure = DeviceFigure(quantity=quantity, count=count, median=median, upper_quartile=upper, percentile_95=high)
        found.setdefault(key, []).append(figure)
