"""What the dashboard was told, study by study: the notices of several rules about one study are one row.

The newest notice of a study stands for all of them. Queries only, but that they can be marked as seen.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array

from treegarth.database.parameters import written_out
from treegarth.features.rules.tables import notification, rule
from treegarth.index.studies import OfStudy, is_of
from treegarth.index.tables import study
from treegarth.record import Record

COUNTED = 10_000
"""The bell counts no further, and says so."""
_SHOWN_OF_A_STUDY = 8


class StudyNotices(Record):
    """What rules told the dashboard of a study."""

    id: int
    """The newest notice's number."""
    orthanc_study_id: str | None
    study_instance_uid: str | None
    patient_name: str | None
    """(0010,0010); null, as what follows of patient and study, where the index has the study no more."""
    patient_id: str | None
    """(0010,0020)"""
    study_date: date | None
    """(0008,0020)"""
    study_description: str | None
    """(0008,1030)"""
    modalities: list[str] | None
    """(0008,0061)"""
    state: Literal["new", "seen"]
    """`new`: nobody has seen one of them."""
    titles: list[str]
    """What they say, each once."""
    rules: list[str]
    """The names of the rules that told, of those that are there."""
    notices: int
    """How many there are."""
    unseen: int
    """How many of them nobody has seen."""
    created_at: datetime
    """When the newest was told."""
    seen_at: datetime | None
    """When the newest was seen."""
    seen_by: str | None


_newer, _all = notification.alias("newer_notice"), notification.alias("any_notice")


def _is_here(notices: Any) -> ColumnElement[bool]:
    """That it is told on the dashboard."""
    here: ColumnElement[bool] = notices.c.channel == written_out("dashboard")
    return here


def _is_new(notices: Any) -> ColumnElement[bool]:
    new: ColumnElement[bool] = notices.c.state == written_out("waiting")
    return new


def _of_same(notices: Any, *columns: ColumnElement[Any]) -> Select[Any]:
    """The dashboard's notices about the study of a row: none of what is about no study."""
    same = notices.c.orthanc_study_id == notification.c.orthanc_study_id
    return select(*columns).where(_is_here(notices), same).correlate(notification)


def _one_of(value: ColumnElement[Any], alone: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of all notices about the study of a row; `alone`: of itself, where it is about none."""
    is_alone = notification.c.orthanc_study_id.is_(None)
    return case((is_alone, alone), else_=_of_same(_all, value).scalar_subquery())


def select_notices_by_study(
    *,
    of_study: OfStudy | None = None,
    state: Literal["new", "seen"] | None = None,
    rule_id: int | None = None,
    modality: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
) -> Select[Any]:
    """Studies of which the dashboard was told, in no order. Of a rule, since or before: by some notice about it."""
    row = notification.c
    unseen = select(_all.c.orthanc_study_id).where(_is_here(_all), _is_new(_all), _all.c.orthanc_study_id.is_not(None))
    is_unseen = _is_new(notification) | row.orthanc_study_id.in_(unseen.distinct())
    is_new = case((_is_new(notification), 1), else_=0)
    of_rules = or_(rule.c.id == row.rule_id, rule.c.id.in_(_of_same(_all, _all.c.rule_id)))
    names = select(func.coalesce(func.array_agg(rule.c.name.distinct()), cast([], ARRAY(Text)), type_=ARRAY(Text)))
    query = (
        select(
            *(row[name] for name in ("id", "orthanc_study_id", "study_instance_uid", "created_at", "seen_by")),
            *(study.c[name] for name in ("patient_name", "patient_id", "study_date", "study_description")),
            study.c.modalities,
            case((is_unseen, "new"), else_="seen").label("state"),
            _one_of(func.array_agg(_all.c.title.distinct()), array([row.title])).label("titles"),
            names.where(of_rules).correlate(notification).scalar_subquery().label("rules"),
            _one_of(func.count(), literal(1)).label("notices"),
            _one_of(func.count().filter(_is_new(_all)), is_new).label("unseen"),
            row.sent_at.label("seen_at"),
        )
        .outerjoin(study, study.c.orthanc_study_id == row.orthanc_study_id)
        .where(_is_here(notification), ~_is_there_a_newer())
    )
    if of_study is not None:
        query = query.where(is_of(notification, of_study))
    if state is not None:
        query = query.where(is_unseen if state == "new" else ~is_unseen)
    if rule_id is not None:
        query = query.where(
            (row.rule_id == rule_id) | _of_same(_all, _all.c.id).where(_all.c.rule_id == rule_id).exists()
        )
    if modality is not None:
        query = query.where(study.c.modalities.contains([modality]))
    bounds = [(operator.ge, since), (operator.lt, before)]
    told = [[compare(one.c.created_at, at) for compare, at in bounds if at] for one in (notification, _all)]
    if not told[0]:
        return query
    return query.where(and_(*told[0]) | _of_same(_all, _all.c.id).where(*told[1]).exists())


def _is_there_a_newer() -> ColumnElement[bool]:
    same = _newer.c.orthanc_study_id == notification.c.orthanc_study_id
    newer = select(_newer.c.id).where(_is_here(_newer), same, _newer.c.id > notification.c.id)
    return newer.correlate(notification).exists()


def notices_of(connection: Connection, rows: Sequence[StudyNotices]) -> dict[int, list[Any]]:
    """By the row, the newest notices about its study: id, rule, title, why, what matched, state, when."""
    row = _all.c
    place = func.row_number().over(
        partition_by=func.coalesce(row.orthanc_study_id, cast(row.id, Text)), order_by=row.id.desc()
    )
    numbered = (
        select(
            *(row[name] for name in ("id", "orthanc_study_id", "rule_id", "title", "content", "matched", "state")),
            row.created_at,
            rule.c.name.label("rule_name"),
            place.label("place"),
        )
        .select_from(_all)
        .outerjoin(rule, rule.c.id == row.rule_id)
        .where(_is_here(_all))
        .where(
            or_(
                row.orthanc_study_id.in_([one.orthanc_study_id for one in rows if one.orthanc_study_id]),
                row.id.in_([one.id for one in rows if not one.orthanc_study_id]),
            )
        )
        .subquery()
    )
    found = connection.execute(
        select(numbered).where(numbered.c.place <= _SHOWN_OF_A_STUDY).order_by(numbered.c.id.desc())
    )
    by_study: dict[Any, list[Any]] = {}
    for one in found:
        by_study.setdefault(one.orthanc_study_id or one.id, []).append(one)
    return {one.id: by_study.get(one.orthanc_study_id or one.id, []) for one in rows}


def count_new(connection: Connection, *, at_most: int = COUNTED) -> int:
    """Of how many studies nobody has seen what the dashboard was told; counts to one more than `at_most`."""
    of_what = func.coalesce(notification.c.orthanc_study_id, cast(notification.c.id, Text))
    some = select(of_what).where(_is_here(notification), _is_new(notification)).distinct().limit(at_most + 1)
    return int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one())


def settle(connection: Connection, about: str, by: str | None, now: datetime) -> None:
    """What the dashboard was told about this needs nobody any more."""
    row = notification.c
    which = (_is_here(notification), _is_new(notification), row.content["about"].astext == about)
    connection.execute(update(notification).where(*which).values(state="sent", sent_at=now, seen_by=by))


def mark_seen(connection: Connection, by: str | None, now: datetime, chosen: Select[Any] | Sequence[int]) -> int:
    """A user has seen what the dashboard was told of these rows' studies; of how many something was new.

    `chosen`: the rows, by their query or by their numbers."""
    row = notification.c
    if isinstance(chosen, Select):
        ids: Any = chosen.with_only_columns(row.id, maintain_column_froms=True)
    else:
        ids = select(row.id).where(row.id.in_(chosen))
    picked = select(row.id, row.orthanc_study_id).where(row.id.in_(ids)).cte("picked")
    same = or_(row.orthanc_study_id.in_(select(picked.c.orthanc_study_id)), row.id.in_(select(picked.c.id)))
    seen = update(notification).where(_is_here(notification), _is_new(notification), same)
    done = connection.execute(
        seen.values(state="sent", sent_at=now, seen_by=by).returning(row.orthanc_study_id, row.id)
    )
    return len({one.orthanc_study_id or one.id for one in done})
