"""A dose registry of many made-up exams and their irradiation events, made in SQL: for the dose list, and for whatever
analyses doses.

One exam in two is a CT (3 to 9 events, phantoms mixed in one of nine), one in five projection (planes, fluoroscopy),
one in five mammography, one in ten of a radiopharmaceutical. There is one report an exam, and five events an exam on
average. Doses are drawn log-normally around what the field knows, devices are 60 of 12 models, protocols 40, patients
have four exams, days are eight years. Everything follows from the exam's number: two runs make the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from tests.bench.kept_database import kept_database

_KIND = "(ARRAY['ct','ct','ct','ct','ct','projection','projection','mammography','mammography','radiopharmaceutical'])"
EXAMS = f"""
CREATE TEMP TABLE exam ON COMMIT DROP AS SELECT n, md5('t' || n) AS study, md5('r' || n) AS report, '1.2.' || n AS uid,
    {_KIND}[n % 10 + 1] AS kind, DATE '2026-11-20' - n % 2920 * 7919 % 2920 AS day,
    make_time(7 + n % 12 * 31 % 12, n % 60 * 17 % 60, n % 60) AS clock, 'P' || n / 4 AS patient, n % 60 AS device,
    exp(2 * (((hashint4(n) & 65535) + (hashint4(n * 3 + 1) & 65535)) / 65536.0 - 1)) AS dose,
    1 + (hashint4(n * 5 + 2) & 7) AS extra
FROM generate_series(1, :count) n
"""  # noqa: S608
REPORTS = """
INSERT INTO dose_report (orthanc_instance_id, orthanc_series_id, orthanc_study_id, sop_instance_uid, sop_class_uid,
    study_instance_uid, modality, state, read_at, received_at, reader_version, kind, source, totals, report, issues,
    dlp_total_mgy_cm, dose_area_product_total_gy_m2, dose_rp_total_gy, manufacturer, manufacturer_model_name,
    station_name, device_serial_number, patient_id, patient_name, patient_sex, patient_age, study_date, study_time,
    study_description, irradiation_event_count)
SELECT report, md5('s' || n), study, '1.3.' || n, '1.2.840.10008.5.1.4.1.1.88.67', uid, 'SR', 'read', now(),
    day + clock, 2, kind, 'report',
    CASE kind WHEN 'ct' THEN jsonb_build_object('dlp_total_mgy_cm', round((400 * dose)::numeric, 2))
        WHEN 'projection' THEN jsonb_build_object('dose_area_product_total_gy_m2', 0.0005 * dose, 'dose_rp_total_gy',
            0.05 * dose, 'total_fluoro_time_s', round((120 * dose)::numeric, 1))
        WHEN 'mammography' THEN jsonb_build_object('accumulated_average_glandular_dose_left_mgy', 2.4 * dose,
            'accumulated_average_glandular_dose_right_mgy', 2.5 * dose) ELSE '{}'::jsonb END,
    '{}', '[]', CASE kind WHEN 'ct' THEN round((400 * dose)::numeric, 2) END,
    CASE kind WHEN 'projection' THEN 0.0005 * dose END, CASE kind WHEN 'projection' THEN 0.05 * dose END,
    'Maker ' || device % 4, 'Model ' || device % 12, 'ROOM' || device, 'SN' || device, patient,
    'Family' || n / 4 || '^Given', (ARRAY['F', 'M'])[n / 4 % 2 + 1], lpad((18 + n / 4 % 70)::text, 3, '0') || 'Y', day,
    clock, 'Exam ' || n % 25, CASE kind WHEN 'radiopharmaceutical' THEN 0 ELSE extra + 1 END
FROM exam
"""
EVENTS = """
INSERT INTO irradiation_event (orthanc_instance_id, position, irradiation_event_uid, irradiation_event_type,
    acquisition_protocol, mean_ctdi_vol_mgy, dlp_mgy_cm, ctdiw_phantom_type, dose_area_product_gy_m2, dose_rp_gy,
    average_glandular_dose_mgy, values)
SELECT report, p, uid || '.' || p, type, 'Protocol ' || (n + p % 2) % 40, ctdi, dlp, phantom, dap, rp, agd,
    jsonb_strip_nulls(jsonb_build_object('irradiation_event_uid', uid || '.' || p, 'irradiation_event_type', type,
        'date_time_started', to_char(day + clock + p * interval '1 minute', 'YYYYMMDDHH24MISS'), 'acquisition_protocol',
        'Protocol ' || (n + p % 2) % 40, 'mean_ctdi_vol_mgy', ctdi, 'dlp_mgy_cm', dlp, 'ctdiw_phantom_type', phantom,
        'dose_area_product_gy_m2', dap, 'dose_rp_gy', rp, 'average_glandular_dose_mgy', agd, 'laterality',
        CASE kind WHEN 'mammography' THEN (ARRAY['L', 'R'])[p % 2 + 1] END))
FROM (SELECT e.*, p, CASE kind WHEN 'projection' THEN (ARRAY['Fluoroscopy', 'Stationary Acquisition'])[p % 2 + 1]
        WHEN 'ct' THEN 'Spiral Acquisition' ELSE 'Stationary Acquisition' END AS type,
    CASE kind WHEN 'ct' THEN round((12 * dose)::numeric, 2)::float END AS ctdi,
    CASE kind WHEN 'ct' THEN round((400 * dose / (extra + 1))::numeric, 4)::float END AS dlp,
    CASE kind WHEN 'ct' THEN CASE WHEN n % 9 = 0 AND p = 1 OR n % 9 = 1 THEN 'IEC Head Dosimetry Phantom'
        ELSE 'IEC Body Dosimetry Phantom' END END AS phantom,
    CASE kind WHEN 'projection' THEN 0.0005 * dose / (extra + 1) END AS dap,
    CASE kind WHEN 'projection' THEN 0.05 * dose / (extra + 1) END AS rp,
    CASE kind WHEN 'mammography' THEN 1.2 * dose END AS agd
    FROM exam e, generate_series(1, extra + 1) p WHERE kind <> 'radiopharmaceutical') one
"""
GIVEN = """
INSERT INTO administration (orthanc_instance_id, position, irradiation_event_uid, radionuclide,
    administered_activity_mbq, values)
SELECT report, 1, uid || '.a', '^18^Fluorine', round((280 * dose)::numeric, 1), jsonb_build_object(
    'irradiation_event_uid', uid || '.a', 'administered_activity_mbq', round((280 * dose)::numeric, 1), 'start',
    to_char(day + clock, 'YYYYMMDDHH24MISS'),
    'radionuclide_code', jsonb_build_object('code', '77004003', 'scheme', 'SCT', 'meaning', '^18^Fluorine'))
FROM exam WHERE kind = 'radiopharmaceutical'
"""
STUDIES = """
INSERT INTO dose_study (orthanc_study_id, study_instance_uid, modalities, kinds, report_count, counted_report_ids, rule,
    source, irradiation_event_count, issue_count, dlp_total_mgy_cm, dose_area_product_total_gy_m2, dose_rp_total_gy,
    mean_ctdi_vol_max_mgy, glandular_dose_left_mgy, glandular_dose_right_mgy, administration_count,
    administered_activity_mbq, best_dlp_mgy_cm, best_dlp_body_mgy_cm, best_dose_area_product_gy_m2, best_dose_rp_gy,
    best_glandular_dose_left_mgy, best_glandular_dose_right_mgy, best_administered_activity_mbq,
    best_total_fluoro_time_s, best_ctdi_vol_max_mgy, origins, doubts, not_patient, manufacturer,
    manufacturer_model_name, station_name, device_serial_number, protocols, patient_id, patient_name, patient_sex,
    patient_age, study_date, study_time, study_description, changed_at, event_report_ids, repeated_events,
    patient_age_years, patient_size_m, patient_weight_kg, institution_name, requested_procedure_description,
    procedure_codes, procedure_named, event_mean_ctdi_vol_mgy_min, event_mean_ctdi_vol_mgy_max, event_dlp_mgy_cm_min,
    event_dlp_mgy_cm_max, event_dose_area_product_gy_m2_min, event_dose_area_product_gy_m2_max, event_dose_rp_gy_min,
    event_dose_rp_gy_max, event_average_glandular_dose_mgy_min, event_average_glandular_dose_mgy_max)
SELECT study, uid, ARRAY[(CASE kind WHEN 'ct' THEN 'CT' WHEN 'projection' THEN 'XA' WHEN 'mammography' THEN 'MG'
        ELSE 'PT' END), 'SR'], ARRAY[kind], 1, ARRAY[report], 'single',
    CASE WHEN n % 300 = 0 THEN 'header' ELSE 'report' END,
    CASE kind WHEN 'radiopharmaceutical' THEN 0 ELSE extra + 1 END, CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END,
    dlp, dap, rp, ctdi, agd_l, agd_r, CASE kind WHEN 'radiopharmaceutical' THEN 1 ELSE 0 END, mbq,
    dlp, CASE WHEN n % 9 > 1 THEN dlp END, dap, rp, agd_l, agd_r, mbq,
    CASE kind WHEN 'projection' THEN round((120 * dose)::numeric, 1) END, ctdi, '{}',
    CASE WHEN n % 30 = 0 THEN ARRAY[(CASE kind WHEN 'ct' THEN 'dlp_mgy_cm' ELSE 'dose_area_product_gy_m2' END)
        || chr(58) || 'partial_total'] ELSE '{}' END,
    CASE WHEN n % 200 = 0 THEN 'qa' END, 'Maker ' || device % 4, 'Model ' || device % 12, 'ROOM' || device,
    'SN' || device, 
    ARRAY['Protocol ' || n % 40, 'Protocol ' || (n + 1) % 40], patient,
    'Family' || n / 4 || '^Given',
    (ARRAY['F', 'M'])[n / 4 % 2 + 1], lpad((18 + n / 4 % 70)::text, 3, '0') || 'Y', day, clock,
    'Exam ' || n % 25, now(), ARRAY[report], '{}', 18 + n / 4 % 70, 1.5 + n / 4 % 45 / 100.0, 45 + n / 4 % 60,
    'Hospital ' || device % 7, 'Procedure ' || n % 300, ARRAY['P' || n % 300 || '^Procedure ' || n % 300 || '^99LOCAL'],
    'Procedure ' || n % 300 || chr(10) || 'P' || n % 300 || '^Procedure ' || n % 300 || '^99LOCAL',
    ctdi, ctdi, dlp / (extra + 1), dlp / (extra + 1), dap / (extra + 1), dap / (extra + 1), rp / (extra + 1),
    rp / (extra + 1), agd_l / 2, agd_l / 2
FROM (SELECT e.*, CASE kind WHEN 'ct' THEN round((400 * dose)::numeric, 2)::float END AS dlp,
    CASE kind WHEN 'projection' THEN 0.0005 * dose END AS dap, CASE kind WHEN 'projection' THEN 0.05 * dose END AS rp,
    CASE kind WHEN 'ct' THEN round((12 * dose)::numeric, 2)::float END AS ctdi,
    CASE kind WHEN 'mammography' THEN 2.4 * dose END AS agd_l,
    CASE kind WHEN 'mammography' THEN 2.5 * dose END AS agd_r,
    CASE kind WHEN 'radiopharmaceutical' THEN round((280 * dose)::numeric, 1)::float END AS mbq FROM exam e) one
"""
PROTOCOLS = "INSERT INTO dose_protocol SELECT DISTINCT unnest(protocols) FROM dose_study ON CONFLICT DO NOTHING"
_FILLED = ("dose_report", "irradiation_event", "administration", "dose_study")


@contextmanager
def million_exams(count: int) -> Iterator[Engine]:
    """An engine on a database with that many exams and about five times as many events."""
    statements = (EXAMS, REPORTS, EVENTS, GIVEN, STUDIES, PROTOCOLS)
    with kept_database("exams", count, counted="dose_study", tables=_FILLED, statements=statements) as engine:
        yield engine
