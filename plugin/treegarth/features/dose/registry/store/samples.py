"""Of series with hundreds of images a few are sources of dose, chosen once a series has come to rest. Queries only.

While images arrive, their series is only marked: whoever chose sooner would read images that later ones displace. What
is chosen depends on the index alone, so it is the same for every order of arrival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, text

from treegarth.features.dose.registry.candidates import SAMPLE, SAMPLED_SOURCES
from treegarth.features.dose.registry.store.archive_index import ArchivedInstance, KnownInstance, archived_instances
from treegarth.features.dose.registry.store.queue import note_sources
from treegarth.features.dose.registry.tables import dose_report, dose_sampling
from treegarth.index.tables import instance
from treegarth.tasks import leases

REST = timedelta(seconds=3)
"""A series to which nothing was added for so long has come to rest; scanners send several images a second."""

LONGEST_WAIT = timedelta(seconds=60)
"""After its first image a series that never rests is looked at all the same, and again for what comes later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What was chosen for one series: whether its study is to be decided anew without anything being read, as images
    that were sources are none any more, or more images came and none of them was chosen."""

    orthanc_study_id: str
    is_to_decide: bool


# As a text, for the store path executes it with every batch: SQLAlchemy would make one anew for each number of rows.
_AWAIT_REST = text(
    "INSERT INTO dose_sampling (orthanc_series_id, orthanc_study_id, first_at, due_at)"
    " SELECT one, study, now(), now() + :rest"
    " FROM unnest(CAST(:series AS text[]), CAST(:studies AS text[])) AS r (one, study)"
    " ON CONFLICT (orthanc_series_id) DO UPDATE"
    " SET due_at = least(dose_sampling.first_at + :longest_wait, excluded.due_at)"
).bindparams(rest=REST, longest_wait=LONGEST_WAIT)


def await_rest(connection: Connection, images: Iterable[KnownInstance]) -> None:
    """Mark the series of these images: their sources are to be chosen. Every arrival puts that off."""
    studies = {image.orthanc_series_id: image.orthanc_study_id for image in images}
    if not studies:
        return
    series = sorted(studies)
    connection.execute(_AWAIT_REST, {"series": series, "studies": [studies[one] for one in series]})


def note_again(connection: Connection, images: Sequence[KnownInstance]) -> int:
    """Have those of the images that are sources read again; their number. Series without enough sources are marked."""
    noted = _noted(connection, {image.orthanc_study_id for image in images})
    again = [image for image in images if image.orthanc_instance_id in noted]
    note_sources(connection, again, again=True)
    sources = Counter(noted.values())
    await_rest(connection, [image for image in images if sources[image.orthanc_series_id] < SAMPLE])
    return len(again)


def choose_next(connection: Connection, now: datetime) -> Choice | None:
    """Choose the sources of one series that has come to rest: they wait to be read, those that they displace go.

    None when no series is due. An image that is indexed meanwhile waits for this transaction and marks the series
    again, so nothing is missed.
    """
    turn = dose_sampling.c.due_at
    taken = leases.take(connection, dose_sampling, turn, turn <= now, limit=1, returning=dose_sampling)
    if not taken:
        return None
    (marked,) = taken
    images = _first_images(connection, marked.orthanc_series_id)
    noted = _noted(connection, {marked.orthanc_study_id})
    there = {one for one, series in noted.items() if series == marked.orthanc_series_id}
    chosen = sorted({*there, *(image.orthanc_instance_id for image in images)})[:SAMPLE]
    note_sources(connection, [image for image in images if image.orthanc_instance_id in chosen])
    displaced = sorted(there - {*chosen})
    if displaced:
        connection.execute(delete(dose_report).where(dose_report.c.orthanc_instance_id.in_(displaced)))
    return Choice(orthanc_study_id=marked.orthanc_study_id, is_to_decide=bool(displaced) or there >= {*chosen})


def next_due(connection: Connection) -> datetime | None:
    """When the next series is expected to have come to rest; None when none waits."""
    query = select(dose_sampling.c.due_at).order_by(dose_sampling.c.due_at).limit(1)
    return connection.execute(query).scalar_one_or_none()


def _first_images(connection: Connection, orthanc_series_id: str) -> list[ArchivedInstance]:
    query = archived_instances().where(
        instance.c.orthanc_series_id == orthanc_series_id, instance.c.sop_class_uid.in_(sorted(SAMPLED_SOURCES))
    )
    return [ArchivedInstance(**row._mapping) for row in connection.execute(query.limit(SAMPLE))]


def _noted(connection: Connection, orthanc_study_ids: Iterable[str]) -> dict[str, str]:
    """The sampled images of these studies that are sources, with their series. There is an index by study."""
    query = select(dose_report.c.orthanc_instance_id, dose_report.c.orthanc_series_id).where(
        dose_report.c.orthanc_study_id.in_(sorted(orthanc_study_ids)),
        dose_report.c.sop_class_uid.in_(sorted(SAMPLED_SOURCES)),
    )
    return {row.orthanc_instance_id: row.orthanc_series_id for row in connection.execute(query)}
