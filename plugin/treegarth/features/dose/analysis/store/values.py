"""Keep the rows of statistics what the registry says, in the transaction that changes it. Writes only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from treegarth.features.dose.alerts.store.due import note_changed
from treegarth.features.dose.analysis.names.store.naming import name_new
from treegarth.features.dose.analysis.size.store.estimates import refresh_estimates
from treegarth.features.dose.analysis.wanted import BY_PHANTOM
from treegarth.features.dose.quantities import BEST, DERIVED, OF_EVENT

EVENT_COUNT = "irradiation_event_count"
"""The quantity of `exam_dose` by which exams are counted, those too of which no dose is known."""

MODALITIES = {
    "ct": ("CT",),
    "projection": ("XA", "RF", "DX", "CR", "PX", "IO", "RG"),
    "mammography": ("MG",),
    "radiopharmaceutical": ("PT", "NM"),
}
"""Of the images of each kind of source (PS3.3 C.7.3.1.1.1), the one that speaks for a study first."""

OF_QUANTITY = {"dlp": "ct", "ctdi": "ct", "glandular": "mammography", "administered": "radiopharmaceutical"}
"""The kind of source that tells a quantity, by the beginning of its name; the others are of projections."""

DOUBTED_AS = {
    "mean_ctdi_vol_mgy": ["ctdi_vol_max_mgy"],
    "average_glandular_dose_mgy": ["glandular_dose_left_mgy", "glandular_dose_right_mgy"],
}
"""Under which names an exam doubts what its events have under another one."""

_FOUND = {
    "ct": "'CT'",
    "mammography": "'MG'",
    **{
        kind: f"coalesce((SELECT m FROM unnest(ARRAY{list(MODALITIES[kind])}) WITH ORDINALITY AS o (m, n)"  # noqa: S608
        " WHERE m = ANY(d.modalities) ORDER BY n LIMIT 1), 'OT')"
        for kind in ("projection", "radiopharmaceutical")
    },
}
"""The modality of a kind in a study, as SQL: OT where no series tells."""


def kind_of(quantity: str) -> str:
    """Which kind of source tells a quantity of an exam."""
    return next((kind for start, kind in OF_QUANTITY.items() if quantity.startswith(start)), "projection")


def _modality(kind: str) -> str:
    """Of a value of this kind of source, as SQL. A mammography tells quantities of projections, too, beside which a
    study of nothing else has no modality of projections."""
    if kind != "projection":
        return _FOUND[kind]
    alone = "'mammography' = ANY(d.kinds) AND NOT 'projection' = ANY(d.kinds)"
    return f"CASE WHEN {alone} THEN {_FOUND['mammography']} ELSE {_FOUND['projection']} END"


_VALUES = [
    *(
        f"('{one.name}', d.{one.column}, {_modality(kind_of(one.name))}, '{one.name}' = ANY(d.doubted))"
        for one in BEST.values()
    ),
    *(
        f"('{EVENT_COUNT}', CASE WHEN '{kind}' = ANY(d.kinds) THEN d.{count} END, {_FOUND[kind]}, false)"
        for kind, count in (
            ("ct", "irradiation_event_count"),
            ("projection", "irradiation_event_count"),
            ("mammography", "irradiation_event_count"),
            ("radiopharmaceutical", "administration_count"),
        )
    ),
]
_PATIENT = "device_key, study_date, patient_age_years, patient_weight_kg, patient_size_m"
_NUCLEAR = ", ".join(f"'{one.name}'" for one in DERIVED.values() if one.kind == "radiopharmaceutical")
"""Whose modality is that of the images, which may come later."""
_COUNTED = f"""
WITH counted AS (
    SELECT d.*, coalesce(s.scope_id, 1) AS scope_id, concat_ws(chr(31), coalesce(d.study_description, ''),
        coalesce(d.requested_procedure_description, ''), array_to_string(d.procedure_codes, chr(30)),
        array_to_string(d.protocols, chr(30))) AS named
    FROM dose_study d LEFT JOIN study s USING (orthanc_study_id)
    WHERE d.orthanc_study_id = ANY(CAST(:ids AS text[]))
        AND d.not_patient IS NULL AND d.replaced_by IS NULL AND NOT d.is_void
), given AS (
    SELECT orthanc_study_id, quantity, q.modality, max(value) AS value, bool_or(is_doubted) AS is_doubted,
        md5(q.modality || named) AS key
    FROM counted d CROSS JOIN LATERAL (VALUES {", ".join(_VALUES)}) AS q (quantity, value, modality, is_doubted)
    WHERE value IS NOT NULL GROUP BY orthanc_study_id, quantity, q.modality, named
    UNION ALL
    SELECT orthanc_study_id, quantity, m.modality, value, is_doubted, md5(m.modality || named)
    FROM counted d JOIN derived_dose x USING (orthanc_study_id) CROSS JOIN LATERAL (SELECT
        CASE WHEN quantity IN ({_NUCLEAR}) THEN {_FOUND["radiopharmaceutical"]} ELSE x.modality END AS modality) AS m
)"""  # noqa: S608
_EXAM_NAMES = f"""{_COUNTED}
INSERT INTO exam_name (key, modality, study_description, requested_procedure_description, procedure_codes, protocols)
SELECT DISTINCT ON (g.key) g.key, g.modality, d.study_description, d.requested_procedure_description,
    coalesce(d.procedure_codes, '{{}}'), d.protocols
FROM given g JOIN counted d USING (orthanc_study_id)
WHERE NOT EXISTS (SELECT FROM exam_name n WHERE n.key = g.key) ORDER BY g.key
ON CONFLICT DO NOTHING RETURNING id"""  # noqa: S608
_PHANTOM = f"""CASE WHEN g.quantity = ANY(ARRAY{sorted(BY_PHANTOM["exam"])}) THEN
    CASE WHEN best_dlp_head_mgy_cm IS NOT NULL AND best_dlp_body_mgy_cm IS NOT NULL
        AND ('dlp_mgy_cm' || chr(58) || 'phantoms_mixed' = ANY(d.doubts) OR 'dlp_mgy_cm' = ANY(d.unattributed))
        THEN 'both'
    WHEN 'dlp_mgy_cm' = ANY(d.unattributed) THEN 'unknown'
    WHEN coalesce(best_dlp_head_mgy_cm, -1) > coalesce(best_dlp_body_mgy_cm, -1) THEN 'head'
    WHEN best_dlp_body_mgy_cm IS NOT NULL THEN 'body' ELSE 'unknown' END END"""
"""Of one phantom is what is of it as a whole: a DLP of which a part names none is not compared with either. Where both
are named and nothing is mixed, one is of localizers alone (a few mGy·cm): the scan is of the other."""
_EXAMS = f"""{_COUNTED}
INSERT INTO exam_dose (orthanc_study_id, quantity, modality, exam_name_id, value, is_doubted, study_hour, phantom,
    scope_id, {_PATIENT})
SELECT g.orthanc_study_id, g.quantity, g.modality, n.id, g.value, g.is_doubted, extract(hour FROM study_time),
    {_PHANTOM}, scope_id, {_PATIENT}
FROM given g JOIN counted d USING (orthanc_study_id) JOIN exam_name n ON n.key = g.key"""  # noqa: S608

_COLUMNS = [one.column for one in OF_EVENT]
_DOUBTED = " || ".join(
    f"CASE WHEN d.doubted && ARRAY{DOUBTED_AS.get(one, [one])} THEN ARRAY['{one}'] ELSE '{{}}' END" for one in _COLUMNS
)
_TOLD = f"""{_COUNTED}, told AS (
    SELECT e.*, d.orthanc_study_id, scope_id, {", ".join(f"d.{one}" for one in _PATIENT.split(", "))},
        {_DOUBTED} AS doubted, left(e.acquisition_protocol, 500) AS name,
        CASE r.kind {" ".join(f"WHEN '{kind}' THEN {found}" for kind, found in _FOUND.items())} END AS modality
    FROM counted d JOIN dose_report r ON r.orthanc_instance_id = ANY(d.event_report_ids)
    JOIN irradiation_event e ON e.orthanc_instance_id = r.orthanc_instance_id
    WHERE coalesce({", ".join(f"e.{one}" for one in _COLUMNS)}) IS NOT NULL
        AND NOT (e.orthanc_instance_id || chr(58) || e.position) = ANY(coalesce(d.repeated_events, '{{}}'))
)"""  # noqa: S608
_PROTOCOL_NAMES = f"""{_TOLD}
INSERT INTO protocol_name (modality, name)
SELECT DISTINCT modality, name FROM told t WHERE name IS NOT NULL
    AND NOT EXISTS (SELECT FROM protocol_name n WHERE n.modality = t.modality AND n.name = t.name)
ORDER BY modality, name ON CONFLICT DO NOTHING RETURNING id"""  # noqa: S608
_EVENTS = f"""{_TOLD}
INSERT INTO event_dose (orthanc_study_id, orthanc_instance_id, position, protocol_name_id, ctdiw_phantom_type, doubted,
    {", ".join(_COLUMNS)}, scope_id, {_PATIENT})
SELECT orthanc_study_id, orthanc_instance_id, position, n.id, ctdiw_phantom_type, doubted, {", ".join(_COLUMNS)},
    scope_id, {_PATIENT}
FROM told t LEFT JOIN protocol_name n USING (modality, name)"""  # noqa: S608
_GONE = [
    f"DELETE FROM {table} WHERE orthanc_study_id = ANY(CAST(:ids AS text[]))"  # noqa: S608
    for table in ("exam_dose", "event_dose")
]

_HOLD = """
SELECT FROM dose_study WHERE orthanc_study_id = ANY(CAST(:ids AS text[])) ORDER BY orthanc_study_id FOR NO KEY UPDATE"""

# As texts, like every statement of the store path: the same ones for any number of studies, planned once.
_HOLD_STUDIES = text(_HOLD)
_CLEAR = [text(one) for one in _GONE]
_NAME_PROTOCOLS, _ADD_EVENTS, _NAME_EXAMS, _ADD_EXAMS = map(text, (_PROTOCOL_NAMES, _EVENTS, _EXAM_NAMES, _EXAMS))


def hold_studies(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """Until the end of the transaction nobody else makes the rows of these studies; in one order, so that nobody waits
    in a circle. Whoever writes what those follow from and the row of the study itself does not asks for it first."""
    connection.execute(_HOLD_STUDIES, {"ids": sorted(set(orthanc_study_ids))})


def refresh_values(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """Make the rows of these studies what the registry says of them now; of a study that does not count, none. What is
    called by a name that is new has its standard name at once; alerts look at them afterwards, in the background."""
    wanted = sorted(set(orthanc_study_ids))
    if not wanted:
        return
    ids = {"ids": wanted}
    hold_studies(connection, wanted)
    for statement in _CLEAR:
        connection.execute(statement, ids)
    protocols = connection.execute(_NAME_PROTOCOLS, ids).scalars().all()
    connection.execute(_ADD_EVENTS, ids)
    refresh_estimates(connection, wanted)
    exams = connection.execute(_NAME_EXAMS, ids).scalars().all()
    connection.execute(_ADD_EXAMS, ids)
    name_new(connection, {"exams": exams, "events": protocols})
    note_changed(connection, wanted)
