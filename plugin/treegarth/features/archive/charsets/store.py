"""Which series a device wrote, those whose text looks broken, and having them read anew. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, and_, cast, func, or_, select, true, update

from treegarth.database.folding import folded
from treegarth.database.parameters import is_among, written_out
from treegarth.dicom.character_sets import terms_of
from treegarth.dicom.relabelling import ABSENT, ANY, LOOKS_BROKEN, Relabelling, plain_label
from treegarth.features.archive.charsets.model import relabelling_of
from treegarth.folding import fold, like_pattern
from treegarth.index.tables import series, study
from treegarth.phrases import P_
from treegarth.record import Record
from treegarth.work.kinds import Block
from treegarth.work.store import ClaimedWork

BATCH = 500
"""Series that one transaction marks."""
LOOKED_AT = 5_000
"""Studies, those that arrived last, among which broken text is looked for."""
SETTLES = timedelta(seconds=5)
"""Until every batch that was begun before the change is written."""
ReadAgain = Callable[[Connection, Sequence[str]], int]


class BrokenText(Record):
    """A device some of whose text looks as if it was read in a wrong character set."""

    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    remote_ae_title: str | None
    label: str
    """What its objects say of their character set; empty where they say nothing."""
    study_count: int
    """Of those that arrived last."""
    example: str
    """A description that looks so, or a name where no description does."""


class SeriesOfDevice(Record):
    """A series of a device, and the object that speaks for it."""

    orthanc_series_id: str
    orthanc_study_id: str
    study_instance_uid: str
    header_orthanc_instance_id: str
    remote_ae_title: str | None


def _label() -> ColumnElement[str]:
    """The values of Specific Character Set of a series' header, as one text."""
    values = func.jsonb_array_elements_text(series.c.header[("00080005", "Value")]).column_valued("charset")
    listed = select(func.array_agg(func.upper(func.trim(func.coalesce(cast(values, Text), ""))))).scalar_subquery()
    return func.coalesce(func.array_to_string(cast(listed, ARRAY(Text)), "\\"), "")


def _is_of(one: Relabelling) -> ColumnElement[bool]:
    """Whether a series is of such a device, by what its row says."""
    fits: list[ColumnElement[bool]] = [
        folded(func.coalesce(series.c[name], "")).like(like_pattern(fold(pattern)), escape="\\")
        for name, pattern in one.device.items()
    ]
    if one.labelled != ANY:
        label = plain_label(() if one.labelled == ABSENT else terms_of(one.labelled))
        fits.append(or_(series.c.header.is_(None), _label() == label))
    return and_(series.c.instance_count > written_out(0), *fits)


def count_series(connection: Connection, every: Sequence[Relabelling]) -> int:
    """How many series are of one of these devices: a look at every series."""
    return connection.execute(select(func.count()).select_from(series).where(or_(*map(_is_of, every)))).scalar_one()


def sample_series(connection: Connection, one: Relabelling, limit: int) -> list[SeriesOfDevice]:
    """Series of the device, those first whose study has text that is not in ASCII, the newest first."""
    texts = (study.c.patient_name, study.c.study_description, series.c.series_description, series.c.institution_name)
    is_plain = and_(*(func.coalesce(func.octet_length(text) == func.length(text), true()) for text in texts))
    query = (
        select(
            series.c.orthanc_series_id,
            series.c.orthanc_study_id,
            study.c.study_instance_uid,
            series.c.header_orthanc_instance_id,
            series.c.remote_ae_title,
        )
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(_is_of(one), series.c.header_orthanc_instance_id.is_not(None))
        .order_by(is_plain, series.c.last_received_at.desc(), series.c.orthanc_series_id)
        .limit(limit)
    )
    return [SeriesOfDevice(**row._mapping) for row in connection.execute(query)]


def broken_text(connection: Connection) -> list[BrokenText]:
    """Devices of the studies that arrived last, whose text looks broken, most studies first."""
    arrived = (study.c.last_received_at.desc(), study.c.orthanc_study_id.desc())
    names = ("orthanc_study_id", "patient_name", "study_description")
    last = select(*(study.c[name] for name in names)).order_by(*arrived).limit(LOOKED_AT).subquery()

    def strange(text: ColumnElement[str]) -> ColumnElement[bool]:
        is_ascii = func.octet_length(text) == func.length(text)
        return and_(~is_ascii, text.regexp_match(LOOKS_BROKEN))

    device = ("manufacturer", "manufacturer_model_name", "station_name", "remote_ae_title")
    met = (
        select(*(series.c[name] for name in device), _label().label("label"), *last.c)
        .join(last, last.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(or_(strange(last.c.study_description), strange(last.c.patient_name)), series.c.instance_count > 0)
        .subquery()
    )
    alike = [met.c[name] for name in (*device, "label")]
    count = func.count(met.c.orthanc_study_id.distinct())
    shown = func.min(met.c.study_description).filter(strange(met.c.study_description))
    example = func.coalesce(shown, func.min(met.c.patient_name)).label("example")
    query = (
        select(*alike, count.label("study_count"), example).group_by(*alike).order_by(count.desc(), *alike).limit(50)
    )
    return [BrokenText(**row._mapping) for row in connection.execute(query)]


def mark_on(
    connection: Connection, work: ClaimedWork, read_again: Sequence[ReadAgain], now: datetime, *, count: int = BATCH
) -> Block:
    """Mark the next series of these devices as stale, and have others read again what they read of them. `place` is the
    last of them; before the first, whoever writes by the devices as they were is waited for."""
    every = [relabelling_of(one) for one in work.given["documents"]]
    if work.place is None:
        return Block(place="", total=count_series(connection, every), waits=SETTLES, waits_for=WAITS_FOR)
    key = series.c.orthanc_series_id
    query = select(key).where(key > str(work.place), or_(*map(_is_of, every))).order_by(key).limit(count)
    found = list(connection.execute(query).scalars())
    if found:
        connection.execute(update(series).where(is_among(key, found)).values(is_stale=true()))
    noted = sum(read(connection, found) for read in read_again) if found else 0
    return Block(
        done=len(found),
        counts={"noted": noted},
        place=found[-1] if found else work.place,
        total=work.done + len(found) if len(found) < count else None,
        ends="done" if len(found) < count else None,
    )


WAITS_FOR = P_("until all that is being written is written")
