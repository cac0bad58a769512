"""Keep an act, take one back, list those of a study. Queries only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, insert, select

from treegarth.acts.tables import act
from treegarth.errors import NotFound, RequestConflict
from treegarth.index.names import OfNamedStudy
from treegarth.index.studies import StudyKey
from treegarth.phrases import P_

_undo = act.alias("undo")


class Act(OfNamedStudy):
    """What a person decided about a study."""

    id: int
    """Later ones have greater ones."""
    kind: str
    """Such as `dose.void`."""
    by: str | None
    """Null without a login."""
    at: datetime
    reason: str
    orthanc_study_id: str
    study_instance_uid: str
    """(0020,000D)"""
    content: dict[str, Any]
    """What exactly, as the kind has it."""
    undoes: int | None
    """The act that this one takes back."""
    undone_by: int | None
    """The act that took it back; null while it holds."""


def holds(of: ColumnElement[Any] = act.c.id) -> ColumnElement[bool]:
    """Whether nobody took the act back."""
    return ~exists().where(_undo.c.undoes == of)


def select_acts() -> Select[Any]:
    """Every act, in no order."""
    undone_by = select(_undo.c.id).where(_undo.c.undoes == act.c.id).correlate(act).scalar_subquery()
    names = [name for name in Act.model_fields if name in act.c]
    return select(*(act.c[name] for name in names), undone_by.label("undone_by"))


def read_acts(connection: Connection, *which: ColumnElement[bool]) -> list[Act]:
    """Those that fulfil all of this, the latest first."""
    rows = connection.execute(select_acts().where(*which).order_by(act.c.id.desc()))
    return [Act(**row._mapping) for row in rows]


def acts_of(connection: Connection, orthanc_study_id: str, *, kinds: str) -> list[Act]:
    """Those about a study whose kind begins with this, the latest first."""
    return read_acts(connection, act.c.orthanc_study_id == orthanc_study_id, act.c.kind.startswith(kinds))


def read_act(connection: Connection, act_id: int, *, kinds: str) -> Act:
    """Raises NotFound."""
    query = select_acts().where(act.c.id == act_id, act.c.kind.startswith(kinds))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(P_("There is no decision with this number."))
    return Act(**row._mapping)


def note_acts(
    connection: Connection,
    kind: str,
    studies: Iterable[StudyKey],
    *,
    by: str | None,
    at: datetime,
    reason: str,
    content: Mapping[str, Any],
) -> None:
    """Keep that somebody decided the same of each of these studies."""
    said = {"kind": kind, "by": by, "at": at, "reason": reason, "content": dict(content)}
    rows = [{**asdict(one), **said} for one in studies]
    if rows:
        connection.execute(insert(act), rows)


def note_act(
    connection: Connection,
    kind: str,
    study: StudyKey,
    *,
    by: str | None,
    at: datetime,
    reason: str,
    content: Mapping[str, Any] | None = None,
    undoes: int | None = None,
) -> Act:
    """Keep what somebody decided."""
    row = {
        "kind": kind,
        "by": by,
        "at": at,
        "reason": reason,
        "orthanc_study_id": study.orthanc_study_id,
        "study_instance_uid": study.study_instance_uid,
        "content": dict(content or {}),
        "undoes": undoes,
    }
    made = connection.execute(insert(act).values(**row).returning(act.c.id)).scalar_one()
    return Act.model_validate({**row, "id": made, "undone_by": None})


def undo_act(connection: Connection, done: Act, *, by: str | None, at: datetime, reason: str) -> Act:
    """Take an act back. Raises RequestConflict where that was done already, or it takes one back itself."""
    connection.execute(select(act.c.id).where(act.c.id == done.id).with_for_update())
    if done.undoes is not None:
        raise RequestConflict(P_("This took a decision back; take the decision once more instead."))
    if connection.execute(select(holds()).where(act.c.id == done.id)).scalar_one() is False:
        raise RequestConflict(P_("This decision was taken back already."))
    study = StudyKey(orthanc_study_id=done.orthanc_study_id, study_instance_uid=done.study_instance_uid)
    return note_act(connection, done.kind, study, by=by, at=at, reason=reason, undoes=done.id)
