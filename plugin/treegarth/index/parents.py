"""Have series, studies and patients say what lies beneath them: counts, sizes, modalities, attributes. Queries only.

A study has each attribute as the first of its series says that has it (an SR often lacks the study's description), a
patient as the newest of its studies. "First" is by Orthanc's identifiers, so the order of arrival changes nothing.
Where some have objects in Orthanc, those of which all were pruned say nothing any more. The rows are locked by this
transaction, so that what another writer has committed is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, text

from treegarth.index.tables import study

_PATIENT = ("patient_id", "patient_name", "patient_birth_date", "patient_sex")
STUDY_ATTRIBUTES = (
    *_PATIENT,
    *("study_date", "study_time", "study_id", "study_description", "accession_number"),
    *("referring_physician_name", "institution_name"),
)
"""What each series keeps in `study_attributes`: its first object's words on study and patient."""


def tell_parents(
    connection: Connection, *, series_ids: Iterable[str], study_ids: Iterable[str], patient_ids: Iterable[str]
) -> None:
    """Bring these series, studies and patients up to date: each level after that beneath it."""
    tell_studies(connection, series_ids=series_ids, study_ids=study_ids)
    tell_patients(connection, patient_ids)


def tell_studies(connection: Connection, *, series_ids: Iterable[str], study_ids: Iterable[str]) -> None:
    """Count the instances of these series, and have these studies, theirs among them, add up what their series say."""
    connection.execute(_TELL_STUDIES, {"series": sorted(set(series_ids)), "studies": sorted(set(study_ids))})


def tell_patients(connection: Connection, patient_ids: Iterable[str]) -> None:
    """Have these patients' rows say what their studies say."""
    connection.execute(_TELL_PATIENTS, {"ids": sorted(set(patient_ids))})


def note_pruned(connection: Connection, counts: Mapping[str, tuple[int, int]]) -> None:
    """Write how many objects of each series a retention policy deleted, and their bytes; studies add them up."""
    given = [{"id": key, "instances": count, "bytes": size} for key, (count, size) in sorted(counts.items())]
    studies = connection.execute(text(_NOTE_PRUNED), {"rows": json.dumps(given)}).scalars()
    tell_studies(connection, series_ids=(), study_ids=studies)


# As texts, like every statement of the store path: the same for any number of rows, so PostgreSQL plans them once.
_NOTE_PRUNED = """
UPDATE series s SET pruned_instance_count = r.instances, pruned_size_bytes = r.bytes
FROM json_to_recordset(CAST(:rows AS json)) AS r (id text, instances integer, bytes bigint)
WHERE s.orthanc_series_id = r.id RETURNING s.orthanc_study_id
"""
_OF_SERIES = (
    "s.orthanc_study_id, s.orthanc_series_id, s.modality, s.instance_count, s.size_bytes, s.pruned_instance_count,"
    " s.pruned_size_bytes, s.last_received_at, s.study_attributes"
)


def _first(value: str, order: str) -> str:
    """The first that is there, of those that speak."""
    return f"(array_agg({value} ORDER BY {order}) FILTER (WHERE speaks AND {value} IS NOT NULL))[1]"


_SAID = ", ".join(
    _first(f"study_attributes ->> '{name}'", "orthanc_series_id") + f" AS {name}" for name in STUDY_ATTRIBUTES
)
# Series that were indexed before they kept what they say of their study say nothing yet: meanwhile it stays as it was.
_AS_SAID = ", ".join(
    f"{name} = coalesce(CAST(c.{name} AS {study.c[name].type}), CASE WHEN c.is_unread THEN t.{name} END)"
    for name in STUDY_ATTRIBUTES
)
_TELL_STUDIES = text(f"""
WITH counted AS (
    UPDATE series s
    SET instance_count = c.instances, size_bytes = c.bytes,
        last_received_at = greatest(s.last_received_at, c.received_at)
    FROM (
        SELECT k.orthanc_series_id, count(i.orthanc_instance_id) AS instances, coalesce(sum(i.size_bytes), 0) AS bytes,
            max(i.received_at) AS received_at
        FROM unnest(CAST(:series AS text[])) AS k (orthanc_series_id)
        LEFT JOIN instance i ON i.orthanc_series_id = k.orthanc_series_id
        GROUP BY 1
    ) c
    WHERE s.orthanc_series_id = c.orthanc_series_id
    RETURNING {_OF_SERIES}
), beneath AS (
    SELECT * FROM counted
    UNION ALL
    SELECT {_OF_SERIES} FROM series s
    WHERE s.orthanc_study_id = ANY(:studies) AND NOT s.orthanc_series_id = ANY(CAST(:series AS text[]))
), speaking AS (
    SELECT *, instance_count > 0 OR max(instance_count) OVER (PARTITION BY orthanc_study_id) = 0 AS speaks
    FROM beneath WHERE instance_count > 0 OR pruned_instance_count > 0
)
UPDATE study t
SET series_count = c.series, instance_count = c.instances, size_bytes = c.bytes, modalities = c.modalities,
    last_received_at = greatest(t.last_received_at, c.received_at),
    pruned_instance_count = c.pruned, pruned_size_bytes = c.pruned_bytes, {_AS_SAID}
FROM (
    SELECT k.orthanc_study_id, count(s.orthanc_series_id) AS series, coalesce(sum(s.instance_count), 0) AS instances,
        coalesce(sum(s.size_bytes), 0) AS bytes, max(s.last_received_at) AS received_at,
        coalesce(sum(s.pruned_instance_count), 0) AS pruned, coalesce(sum(s.pruned_size_bytes), 0) AS pruned_bytes,
        coalesce(
            array_agg(DISTINCT s.modality ORDER BY s.modality) FILTER (WHERE s.modality IS NOT NULL), '{{}}'
        ) AS modalities,
        coalesce(bool_or(s.study_attributes IS NULL) FILTER (WHERE speaks), true) AS is_unread, {_SAID}
    FROM unnest(CAST(:studies AS text[])) AS k (orthanc_study_id)
    LEFT JOIN speaking s ON s.orthanc_study_id = k.orthanc_study_id
    GROUP BY 1
) c
WHERE t.orthanc_study_id = c.orthanc_study_id
""")  # noqa: S608 - names of our own columns
_NEWEST = "study_date DESC NULLS LAST, study_time DESC NULLS LAST, orthanc_study_id"
_TELL_PATIENTS = text(f"""
UPDATE patient p SET {", ".join(f"{name} = c.{name}" for name in _PATIENT)}
FROM (
    SELECT orthanc_patient_id, {", ".join(f"{_first(name, _NEWEST)} AS {name}" for name in _PATIENT)}
    FROM (
        SELECT *, instance_count > 0 OR max(instance_count) OVER (PARTITION BY orthanc_patient_id) = 0 AS speaks
        FROM study WHERE orthanc_patient_id = ANY(:ids)
    ) t
    GROUP BY 1
) c
WHERE p.orthanc_patient_id = c.orthanc_patient_id
AND ({", ".join(f"p.{name}" for name in _PATIENT)}) IS DISTINCT FROM ({", ".join(f"c.{name}" for name in _PATIENT)})
""")  # noqa: S608
