"""A database of many made-up studies, made in SQL: as large as a hospital's archive, within minutes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from tests.bench.kept_database import kept_database
from treegarth.assembly import vocabulary

_FILLED = ("patient", "study", "series", "instance", "dose_study", "study_label")
_MADE = (
    "INSERT INTO patient (orthanc_patient_id) SELECT md5('p' || n) FROM generate_series(1, :count / 4 + 1) n",
    "INSERT INTO study (orthanc_study_id, orthanc_patient_id, study_instance_uid, patient_id, patient_name, study_date,"
    " study_time, study_description, modalities, series_count, instance_count, size_bytes, first_received_at,"
    " last_received_at) SELECT md5('t' || n), md5('p' || n / 4 + 1), '1.2.' || n, CAST(n / 4 AS text),"
    " 'Family' || n / 4 || '^Given',"
    " DATE '2026-11-20' - n % 3000, make_time(8 + n % 10, n % 60, 0), (ARRAY['CHEST routine', 'Abdomen', 'CT outside',"
    " 'Knee', NULL, 'Head', 'Outside film', 'Spine', 'Follow up', 'PET torso'])[abs(hashint4(n)) % 10 + 1],"
    " ARRAY[(ARRAY['CT', 'CT', 'MR', 'US', 'DX', 'DX', 'PT', 'XA'])[n % 8 + 1], 'SR'],"
    " 2, 6, 3000000, TIMESTAMPTZ '2026-11-20' - n % 3000 * INTERVAL '1 day',"
    " TIMESTAMPTZ '2026-11-20' - n % 3000 * INTERVAL '1 day' FROM generate_series(1, :count) n",
    "INSERT INTO series (orthanc_series_id, orthanc_study_id, series_instance_uid, modality, series_number,"
    " series_description, station_name, instance_count, size_bytes, origin, remote_ae_title, header,"
    " header_orthanc_instance_id) SELECT md5('s' || k || n), md5('t' || n), '1.3.' || n || '.' || k,"
    " CASE k WHEN 1 THEN (ARRAY['CT', 'CT', 'MR', 'US', 'DX', 'DX', 'PT', 'XA'])[n % 8 + 1] ELSE 'SR' END,"
    " k, CASE k WHEN 1 THEN (ARRAY['axial 5 mm', 'scout', 'lung 1 mm',"
    " 'coronal'])[abs(hashint4(n)) % 4 + 1] ELSE 'Dose report' END, 'ROOM' || n % 20, 3, 1500000, 2,"
    " 'CTSCANNER' || n % 16, jsonb_build_object('00180060', jsonb_build_object('Value',"
    " jsonb_build_array(80 + n % 5 * 20))) || (SELECT jsonb_object_agg('0018' || 5000 + a, jsonb_build_object('vr',"
    " 'LO', 'Value', jsonb_build_array('value ' || left(md5('a' || a), 8)))) FROM generate_series(1, 70) a),"
    " md5('i1' || k || n)"
    " FROM generate_series(1, :count) n, generate_series(1, 2) k",
    "INSERT INTO instance (orthanc_instance_id, orthanc_series_id, sop_instance_uid, sop_class_uid, instance_number,"
    " transfer_syntax_uid, size_bytes, received_at) SELECT md5('i' || i || k || n), md5('s' || k || n),"
    " '1.4.' || n || '.' || k || '.' || i, CASE k WHEN 1 THEN '1.2.840.10008.5.1.4.1.1.2'"
    " ELSE '1.2.840.10008.5.1.4.1.1.88.67' END, i, '1.2.840.10008.1.2.1', 500000,"
    " TIMESTAMPTZ '2026-11-20' - n % 3000 * INTERVAL '1 day'"
    " FROM generate_series(1, :count) n, generate_series(1, 2) k, generate_series(1, 2 + abs(hashint4(n)) % 3) i",
    "INSERT INTO dose_study (orthanc_study_id, study_instance_uid, kinds, report_count, counted_report_ids, rule,"
    " irradiation_event_count, issue_count, dlp_total_mgy_cm, protocols, changed_at) SELECT md5('t' || n), '1.2.' || n,"
    " '{ct}', 1, '{}', 'single', 1, 0, nullif(n % 900, 0), '{}', now() FROM generate_series(1, :count) n"
    " WHERE n % 8 < 2 AND n % 3 > 0",
    "INSERT INTO study_label (orthanc_study_id, label, set_at) SELECT md5('t' || n), 'teaching', now()"
    " FROM generate_series(1, :count) n WHERE n % 50 = 0",
)


@contextmanager
def million_studies(count: int) -> Iterator[Engine]:
    """An engine on a database with that many studies of two series with two to four objects each; headers of 70
    attributes."""
    vocabulary()
    with kept_database("server", count, counted="study", tables=_FILLED, statements=_MADE) as engine:
        yield engine
