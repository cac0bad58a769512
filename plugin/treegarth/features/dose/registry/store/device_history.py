"""What became of a device over time: its examinations by month, and since when it says what of itself. Reads only.

Nothing is kept for it: the values stand with the sources that were read, and one device has a few ten thousand of them
at most. Software, detector and days of calibration are read from headers since reader version 5; what was read before
tells them when it is read again (`treegarth dose reread`).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Connection,
    Date,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import JSONPATH, aggregate_order_by

from treegarth.features.dose.registry.store.device_names import NAMES
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.record import Record

What = Literal["serial_number", "software_versions", "detector_id", "detector_calibration", "calibration"]
OF_HEADER: tuple[tuple[What, str], ...] = (
    ("software_versions", "software_versions"),
    ("detector_id", "detector_id"),
    ("detector_calibration", "last_detector_calibration"),
    ("calibration", "last_calibration"),
)
"""What of a device the header of a source says, and under which name of `dose_report.report`."""
_CALIBRATED = "$.**.calibration_date_time"
"""Of the totals of a dose report: TID 10002 rows 3 to 8, TID 10041, wherever they stand."""


class MonthOfExams(Record):
    """How many studies of a device a month has; `month` is its first day."""

    month: date
    study_count: int


class DeviceChange(Record):
    """A value that the device says of itself, and from when to when it was seen."""

    what: What
    """`serial_number` at one manufacturer, model and station; `software_versions` (0018,1020); `detector_id`
    (0018,700A); `detector_calibration` (0018,700C); `calibration`: (0018,1200), or the Calibration DateTime of dose
    reports."""
    value: str
    device_key: str
    """The device that says it: another serial number is another device."""
    first_study_date: date
    last_study_date: date
    study_count: int
    first_study_instance_uid: str
    first_orthanc_study_id: str
    before: str | None
    """What it said before, by the first day of each; null of the first."""


def months_of(connection: Connection, device_key: str) -> list[MonthOfExams]:
    """The months with a study, the latest first; without those that count in another one."""
    month = cast(func.date_trunc("month", dose_study.c.study_date), Date).label("month")
    query = (
        select(month, func.count().label("study_count"))
        .where(dose_study.c.device_key == device_key, dose_study.c.study_date.is_not(None))
        .where(dose_study.c.replaced_by.is_(None))
        .group_by(month)
        .order_by(month.desc())
    )
    return [MonthOfExams(**row._mapping) for row in connection.execute(query)]


def changes_of(connection: Connection, device_key: str) -> list[DeviceChange]:
    """Everything that this device and those before and after it at its station said of themselves, the latest first
    seen first."""
    said = _said(_place(connection, device_key))
    in_order = (said.c.study_date, said.c.orthanc_study_id)

    def first(column: ColumnElement[str]) -> ColumnElement[str]:
        return func.array_agg(aggregate_order_by(column, *in_order), type_=ARRAY(Text))[1]

    query = select(
        said.c.what,
        said.c.value,
        func.min(said.c.device_key).label("device_key"),
        func.min(said.c.study_date).label("first_study_date"),
        func.max(said.c.study_date).label("last_study_date"),
        func.count(said.c.orthanc_study_id.distinct()).label("study_count"),
        first(said.c.study_instance_uid).label("first_study_instance_uid"),
        first(said.c.orthanc_study_id).label("first_orthanc_study_id"),
    ).group_by(said.c.what, said.c.value)
    rows = sorted(connection.execute(query).all(), key=lambda row: (row.first_study_date, row.what, row.value))
    before: dict[str, str] = {}
    found = []
    for row in rows:
        found.append(DeviceChange(**row._mapping, before=before.get(row.what)))
        before[row.what] = row.value
    return found[::-1]


def _place(connection: Connection, device_key: str) -> list[str]:
    """The devices of this manufacturer, model and station, by their keys: this one, and those with another serial
    number. Without a station, this one alone: nothing says that another one stood there."""
    own = select(*(dose_study.c[name] for name in NAMES)).where(dose_study.c.device_key == device_key).limit(1)
    row = connection.execute(own).one_or_none()
    if row is None or not row.station_name:
        return [device_key]
    key = dose_study.c.device_key  # a loose scan of the index: one look for each device
    keys = select(func.min(key).label("device_key")).cte("keys", recursive=True)
    following = select(func.min(key)).where(key > keys.c.device_key).scalar_subquery()
    keys = keys.union_all(select(following).where(keys.c.device_key.is_not(None)))
    of_one = select(*(dose_study.c[name] for name in NAMES)).where(key == keys.c.device_key).limit(1).lateral("of_one")
    same = (of_one.c[name].is_not_distinct_from(row._mapping[name]) for name in NAMES[:3])
    query = select(keys.c.device_key).join_from(keys, of_one, true()).where(*same)
    return sorted({device_key, *connection.execute(query).scalars()})


def _said(keys: list[str]) -> CTE:
    """What each source says of its device, once a study: a study of two devices has sources of both."""
    same_device = and_(*(dose_report.c[name].is_not_distinct_from(dose_study.c[name]) for name in NAMES))
    of_study = dose_report.c.orthanc_study_id == dose_study.c.orthanc_study_id
    source = (
        select(
            *(dose_study.c[name] for name in ("orthanc_study_id", "study_instance_uid", "study_date", "device_key")),
            dose_study.c.device_serial_number,
            dose_report.c.report,
            dose_report.c.totals,
        )
        .join(dose_report, and_(of_study, same_device))
        .where(dose_study.c.device_key == func.any(literal(keys, ARRAY(Text))))
        .where(dose_study.c.study_date.is_not(None), dose_report.c.kind.is_not(None))
        .cte("source")
    )
    of_headers = [_value(source, what, source.c.report[name].astext) for what, name in OF_HEADER]
    calibrated = (
        func.jsonb_path_query(source.c.totals, cast(literal(_CALIBRATED), JSONPATH))
        .table_valued("moment")
        .render_derived(name="calibrated")
    )
    day = func.left(calibrated.c.moment.op("#>>")(literal([], ARRAY(Text))), 8)
    of_reports = _value(source, "calibration", day).join(calibrated, true())
    each = union(_value(source, "serial_number", source.c.device_serial_number), *of_headers, of_reports).subquery()
    return select(each).where(each.c.value != "").cte("said")


def _value(source: CTE, what: What, value: ColumnElement[str | None]) -> Select[tuple[str, str | None]]:
    names = ("orthanc_study_id", "study_instance_uid", "study_date", "device_key")
    return select(literal(what).label("what"), value.label("value"), *(source.c[name] for name in names)).select_from(
        source
    )
