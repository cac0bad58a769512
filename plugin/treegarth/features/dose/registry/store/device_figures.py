"""What each device gives: the distribution of the quantity that its kind of examination is known by. Queries only.

Phantom, QA and service studies do not count, nor studies that another one replaces; nor does what is not known, nor,
unless it is asked for, what is doubted: each quantity by itself. Unlike quantities stay apart.
"""

from __future__ import annotations

from sys import float_info
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Double,
    Select,
    Subquery,
    all_,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from treegarth.features.dose.quantities import best_column
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


def is_sure(quantity: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether nothing speaks against a best known dose, by its column."""
    return literal(str(quantity.key).removeprefix(best_column(""))) != all_(dose_study.c.doubted)


_COUNTED = (dose_study.c.not_patient.is_(None), dose_study.c.replaced_by.is_(None))


def figures_by_device(*, with_doubted: bool = False) -> Subquery:
    """By `device_key`, the `figures` of each quantity that it reports: JSON objects, in the order of their names."""

    def counted(column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        return [column.is_not(None), *_COUNTED, *([] if with_doubted else [is_sure(column)])]

    table = dose_study.c
    found = []
    for name, column in BEST.items():
        of_studies = select(table.device_key, column.label("value")).where(*counted(column))
        found.append(_distribution(name, of_studies.subquery()))
    breasts = union_all(*(select(table.device_key, side.label("value")).where(*counted(side)) for side in _SIDES))
    found.append(_distribution("glandular_dose_mgy", breasts.subquery()))
    each = union_all(*found).subquery()
    names = ("quantity", "count", "median", "upper_quartile", "percentile_95")
    figure = func.jsonb_build_object(*(part for name in names for part in (literal(name), each.c[name])))
    figures = func.jsonb_agg(aggregate_order_by(figure, each.c.quantity), type_=JSONB)
    return select(each.c.device_key, figures.label("figures")).group_by(each.c.device_key).subquery("figures")


def _distribution(quantity: str, values: Subquery) -> Select[Any]:
    """One sort a device for all three parts."""
    parts = func.percentile_cont(cast(list(PARTS), ARRAY(Double))).within_group(values.c.value)
    query = select(values.c.device_key, func.count().label("count"), type_coerce(parts, ARRAY(Double)).label("parts"))
    of_devices = query.group_by(values.c.device_key).subquery()
    median, upper, high = (_finite(of_devices.c.parts[place]) for place in (1, 2, 3))
    return select(
        of_devices.c.device_key,
        literal(quantity).label("quantity"),
        of_devices.c.count,
        median.label("median"),
        upper.label("upper_quartile"),
        high.label("percentile_95"),
    )


def _finite(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Between ±1e308 PostgreSQL makes an infinity, which JSON has no number for."""
    return case((value.between(-float_info.max, float_info.max), value))
