"""Rows for every list of the house, made in SQL: a few for tests, a million of each for benches.

Everything follows from a row's number. Values repeat, so that orders have to be ended by what is unique, and where a
column may be empty some are. A list that is added adds its tables here, or its test fails.
"""

# ruff: noqa: S608  (statements of parts that all stand in this module)

from __future__ import annotations

from sqlalchemy import Connection, text

from tests.bench.million_exams import EVENTS, EXAMS, GIVEN, PROTOCOLS, REPORTS, STUDIES
from tests.retention_support import add_up_ledger

_NOON = "TIMESTAMPTZ '2026-11-20 12:00Z'"
_AGO = f"{_NOON} - n % 3000 * INTERVAL '7 hours'"
_EACH = "FROM generate_series(1, :count) n"
_NO_DOSE = "FROM generate_series(:count + 1, :count + :count / 10 + 25) n"
_ALSO_WITHOUT = "FROM generate_series(1, :count + :count / 10 + 25) n"  # of the exams, and those studies
_ONE_SERIES = "FROM generate_series(1, :count / 50 + 30) n"
_SOME_NAMES = "FROM generate_series(1, :count / 20 + 60) n"
_FEW_NAMES = "FROM generate_series(1, 40) n"
_TRIGGERS = "(ARRAY['study stable', 'series stable', 'dose read', 'schedule', 'by hand'])[n % 5 + 1]"
_MODALITIES = "(ARRAY['CT', 'CT', 'MR', 'US', 'DX', NULL, 'PT', 'XA'])[n % 8 + 1]"
_SAID = """CASE WHEN n % 3 = 0 THEN '"no answer"'::jsonb END"""

PLACE = {"study_instance_uid": "1.2.9", "series_instance_uid": "1.3.9", "size_import_id": "1"}
"""The parts of addresses of lists that are of one study or series."""
ARCHIVE = (
    f"INSERT INTO patient (orthanc_patient_id) SELECT md5('p' || n) {_ALSO_WITHOUT}",
    "INSERT INTO study (orthanc_study_id, orthanc_patient_id, study_instance_uid, patient_id, patient_name,"
    " patient_birth_date, patient_sex, study_date, study_time, study_description, accession_number, modalities,"
    " series_count, instance_count, size_bytes, first_received_at, last_received_at) SELECT md5('t' || n),"
    " md5('p' || n), '1.2.' || n, 'P' || hashint4(n / 4) % 1000000,"
    " CASE WHEN n % 11 > 0 THEN 'Family' || hashint4(n / 4) % 1000000 || '^Given' END,"
    " CASE WHEN n % 5 > 0 THEN DATE '2000-01-01' - n % 30000 END, (ARRAY['F', 'M', NULL])[n / 4 % 3 + 1],"
    " CASE WHEN n % 9 > 0 THEN DATE '2026-11-20' - n % 2920 * 7919 % 2920 END,"
    " make_time(7 + n % 12, n % 60 * 17 % 60, n % 60), CASE WHEN n % 7 > 0 THEN 'Exam ' || n % 25 END,"
    " CASE WHEN n % 6 > 0 THEN 'A' || n % 700000 END,"
    " array_remove(ARRAY['CT', (ARRAY['PT', 'SR', NULL])[n % 3 + 1]], NULL), n % 5 + 1, n % 300 + 1,"
    f" n % 300 * 500000, {_AGO}, {_AGO} {_ALSO_WITHOUT}",
    "INSERT INTO series (orthanc_series_id, orthanc_study_id, series_instance_uid, modality, series_number,"
    " series_description, station_name, instance_count, size_bytes) SELECT md5('s' || n), md5('t' || n), '1.3.' || n,"
    " 'CT', 1, CASE WHEN n % 4 > 0 THEN 'axial ' || n % 40 || ' mm' END, 'ROOM' || n % 20, 2, 1000000"
    f" {_ALSO_WITHOUT}",
    "INSERT INTO instance (orthanc_instance_id, orthanc_series_id, sop_instance_uid, sop_class_uid, instance_number,"
    " transfer_syntax_uid, size_bytes, remote_ae_title, received_at) SELECT md5('o' || n), md5('s9'), '1.6.' || n,"
    " '1.2.840.10008.5.1.4.1.1.2', CASE WHEN n % 5 > 0 THEN n / 2 END, '1.2.840.10008.1.2.1', n % 90 * 5000,"
    f" CASE WHEN n % 3 > 0 THEN 'CT' || n % 3 END, {_AGO} {_ONE_SERIES}",
)
TASKS = (
    "INSERT INTO procrastinate_jobs (id, queue_name, task_name, args, status, attempts) SELECT n, 'work',"
    " 'treegarth:task_' || n % 7, '{}', (ARRAY['todo', 'doing', 'failed'])[n % 3 + 1]::procrastinate_job_status,"
    " n % 5 FROM generate_series(1, :count / 500 + 30) n",
    "INSERT INTO procrastinate_events (job_id, type, at) SELECT id, 'deferred',"
    f" {_NOON} - id % 40 * INTERVAL '1 minute' FROM procrastinate_jobs",
)
DOSE = (
    *(EXAMS, REPORTS, EVENTS, GIVEN, STUDIES, PROTOCOLS),
    "INSERT INTO dose_report (orthanc_instance_id, orthanc_series_id, orthanc_study_id, sop_instance_uid,"
    " study_instance_uid, state, refused, last_error, discovered_at, issue_count, study_date, manufacturer_model_name)"
    " SELECT md5('r' || n), md5('s' || n), md5('t' || n), '1.3.' || n, '1.2.' || n,"
    """ (ARRAY['failed', 'refused'])[n % 2 + 1], CASE WHEN n % 2 = 1 THEN '"no dose"'::jsonb END,"""
    f""" CASE WHEN n % 2 = 0 THEN '"no end"'::jsonb END, {_AGO}, 0, NULL, NULL {_NO_DOSE}""",
    "INSERT INTO series_ssde (orthanc_series_id, orthanc_study_id, study_instance_uid, series_instance_uid,"
    " series_number, series_description, state, next_attempt_at, reason, last_error, image_count, slice_count,"
    " water_equivalent_diameter_mean_mm, truncated_fraction_max, ctdi_vol_mgy, ctdiw_phantom_type, ssde_mean_mgy)"
    " SELECT md5('s' || n), md5('t' || n), '1.2.' || n, '1.3.' || n, nullif(n % 9, 0),"
    " CASE WHEN n % 4 > 0 THEN 'axial ' || n % 40 || ' mm' END,"
    f" (ARRAY['measured', 'measured', 'none', 'waiting', 'failed'])[n % 5 + 1], {_NOON},"
    " (ARRAY[NULL, 'head', 'not_axial'])[n % 3 + 1],"
    f" CASE WHEN n % 5 = 4 THEN '\"no answer\"'::jsonb END, n % 300, n % 25, nullif(n % 400, 0), n % 10 / 10.0,"
    f" nullif(n % 30, 0), (ARRAY['IEC Body Dosimetry Phantom', NULL])[n % 2 + 1], nullif(n % 50, 0) {_EACH}",
    "INSERT INTO derived_dose (orthanc_study_id, quantity, modality, value, method, is_doubted, details)"
    " SELECT md5('t' || n), (ARRAY['effective_dose_ct_msv', 'ssde_mgy'])[n % 2 + 1], 'CT', n % 90 / 7.0, 'by Dw',"
    f" n % 5 = 0, '{{}}' {_EACH}",
    "INSERT INTO derived_missing (orthanc_study_id, quantity, reason) SELECT md5('t' || n),"
    f""" 'effective_dose_nm_msv', '"no activity"'::jsonb {_EACH}""",
    "INSERT INTO long_work (kind, subject, asked_by, is_asked, asked_at, state, total, done, working_s, finished_at,"
    " last_error) SELECT (ARRAY['dose.redeciding', 'dose.reread'])[n % 2 + 1], n % 7,"
    f" nullif('user ' || n % 4, 'user 0'), true, {_AGO}, (ARRAY['done', 'stopped', 'failed'])[n % 3 + 1],"
    f" nullif(n % 90, 0), n % 50, n % 11, {_AGO}, {_SAID} {_EACH}",
    "INSERT INTO long_work (id, kind, is_asked, asked_at, state)"
    f" VALUES (1000000, 'dose.redeciding', true, {_NOON}, 'done')",
    "INSERT INTO dose_redecided (work_id, orthanc_study_id, study_instance_uid, quantity, before, after, why)"
    " SELECT 1000000, md5('t' || n), '1.2.' || n, (ARRAY['dlp_mgy_cm', 'dose_rp_gy'])[n % 2 + 1],"
    f" nullif(n % 700, 0), nullif(n % 900, 0), (ARRAY['single', 'newest', 'counts'])[n % 3 + 1] {_EACH}",
)
SIZES = (
    "INSERT INTO size_import (file_name, size_unit, state, line_count, sent_by, sent_at, applied_by, applied_at,"
    " reason) SELECT CASE WHEN n % 9 > 0 THEN 'file ' || n % 40 END, (ARRAY['cm', NULL])[n % 2 + 1],"
    f" (ARRAY['checked', 'undone'])[n % 2 + 1], n % 50 + 1, (ARRAY['anna', 'ben', NULL])[n % 3 + 1], {_AGO},"
    f" (ARRAY['anna', NULL])[n % 2 + 1], CASE WHEN n % 2 > 0 THEN {_AGO} END,"
    " CASE WHEN n % 2 > 0 THEN 'Reason ' || n % 9 END FROM generate_series(1, :count / 500 + 30) n",
    "INSERT INTO size_line (size_import_id, line, text, study_instance_uid, accession_number, patient_size_m,"
    " patient_weight_kg, problem, outcome, orthanc_study_id, study_count, told_size_m, differs) SELECT 1, n + 1,"
    " 'line ' || n, CASE WHEN n % 4 = 0 THEN '1.2.' || n END, 'A' || n % 700000, 1.5 + n % 40 / 100.0,"
    """ nullif(n % 90, 0), CASE WHEN n % 5 = 4 THEN '"no number"'::jsonb END,"""
    " (ARRAY['found', 'no dose', 'waits', 'ambiguous', 'refused'])[n % 5 + 1],"
    " CASE WHEN n % 5 < 2 THEN md5('t' || n) END, (n % 5 < 2)::int, CASE WHEN n % 10 = 0 THEN 1.5 END, n % 10 = 0"
    f" {_EACH}",
)
ACTS = (
    "INSERT INTO act (kind, by, at, reason, orthanc_study_id, study_instance_uid, content)"
    " SELECT (ARRAY['dose.void', 'dose.count', 'dose.move_to_patient'])[n % 3 + 1],"
    " (ARRAY['anna', 'ben', NULL])[n % 3 + 1],"
    f""" {_AGO}, 'Reason ' || n % 90, md5('t' || n), '1.2.' || n, '{{"patient": {{"patient_id": "P1"}}}}' {_EACH}""",
)
RULES = (
    "INSERT INTO rule (id, name, version, trigger, is_on, position) SELECT n, 'Rule ' || n, 1, 'study stable', true, n"
    " FROM generate_series(1, 20) n",
    "INSERT INTO rule_event (trigger, orthanc_study_id, rule_id, state, noted_at, attempts, next_attempt_at,"
    f" last_error) SELECT {_TRIGGERS}, md5('t' || n), n % 21, (ARRAY['waiting', 'failed'])[n % 2 + 1], {_AGO}, n % 9,"
    f" {_NOON} + n % 1000 * INTERVAL '1 minute', {_SAID} {_EACH}",
    "INSERT INTO rule_outcome (rule_id, version, trigger, orthanc_study_id, study_instance_uid, decided_at, asked_by,"
    f" actions) SELECT n % 20 + 1, 1, {_TRIGGERS}, md5('t' || n), '1.2.' || n, {_NOON} + n * INTERVAL '1 second',"
    " (ARRAY['anna', 'ben', NULL])[n % 3 + 1],"
    f""" '[{{"action": "label", "done": "labelled"}}]' {_EACH}""",
    "INSERT INTO notification (rule_id, orthanc_study_id, study_instance_uid, channel, title, content, state,"
    " created_at, attempts, last_error, sent_at) SELECT nullif(n % 21, 0), md5('t' || n), '1.2.' || n,"
    " (ARRAY['dashboard', 'email', 'webhook'])[n % 3 + 1], 'Notice ' || n % 50, '{}',"
    f" (ARRAY['waiting', 'sent', 'sent', 'given up'])[n % 4 + 1], {_NOON} + n * INTERVAL '1 second', n % 5, {_SAID},"
    f" CASE WHEN n % 4 IN (1, 2) THEN {_AGO} END {_EACH}",
)
DELIVERIES = (
    "INSERT INTO destination (id, name, kind, address) SELECT n, 'Node ' || n, 'folder', '{\"path\": \"/x\"}'"
    " FROM generate_series(1, 5) n",
    "INSERT INTO delivery (id, rule_id, asked_by, destination_id, orthanc_study_id, orthanc_series_id,"
    " study_instance_uid, series_instance_uid, modality, created_at, changed_at) SELECT n, n % 21, 'Rule ' || n % 21,"
    f" n % 5 + 1, md5('t' || n), md5('s' || n), '1.2.' || n, '1.3.' || n, 'CT', {_NOON} + n * INTERVAL '1 second',"
    f" {_NOON} {_EACH}",
    "INSERT INTO delivery_object (destination_id, orthanc_instance_id, orthanc_series_id, orthanc_study_id,"
    " study_instance_uid, series_instance_uid, sop_instance_uid, size_bytes, state, proof_wanted, proof, attempts,"
    " next_attempt_at, last_error, queued_at, sent_at, confirmed_at) SELECT n % 5 + 1, md5('i' || n), md5('s' || n),"
    " md5('t' || n), '1.2.' || n, '1.3.' || n, '1.4.' || n, n % 4000 * 1000,"
    " (ARRAY['waiting', 'sending', 'sent', 'confirmed', 'confirmed', 'given up', 'gone'])[n % 7 + 1], 'best',"
    f" (ARRAY['find', 'status', NULL])[n % 3 + 1], n % 6, {_NOON} + n % 1000 * INTERVAL '1 minute', {_SAID}, {_AGO},"
    f" CASE WHEN n % 7 > 1 THEN {_AGO} END, CASE WHEN n % 7 IN (3, 4) THEN {_AGO} END {_EACH}",
    "INSERT INTO delivery_member (delivery_id, destination_id, orthanc_instance_id) SELECT n, n % 5 + 1, md5('i' || n)"
    f" {_EACH}",
)
RETENTION = (
    "INSERT INTO hold (orthanc_study_id, study_instance_uid, kind, reason, rule_id, set_by, set_at, until, released_at)"
    " SELECT md5('t' || n), '1.2.' || n, (ARRAY['legal', 'teaching', 'project'])[n % 3 + 1], 'Reason ' || n % 90,"
    f" nullif(n % 3, 0), (ARRAY['anna', 'ben', NULL])[n % 3 + 1], {_AGO},"
    f" CASE WHEN n % 2 = 0 THEN {_NOON} + n % 400 * INTERVAL '1 day' END,"
    f" CASE WHEN n % 10 = 0 THEN {_NOON} END {_EACH}",
    "INSERT INTO retention_policy (id, name, version, is_on) SELECT n, 'Policy ' || n, 1, false"
    " FROM generate_series(1, 3) n",
    "INSERT INTO retention_policy_version (policy_id, version, document, is_on, change, changed_at)"
    f" SELECT n, 1, '{{}}', false, 'created', {_NOON} FROM generate_series(1, 3) n",
    "INSERT INTO prune_mark (orthanc_instance_id, orthanc_series_id, orthanc_study_id, study_instance_uid,"
    " sop_instance_uid, modality, remote_ae_title, size_bytes, policy_id, policy_version, marked_at, due_at)"
    " SELECT md5('i' || n), md5('s' || n / 2), md5('t' || n / 2), '1.2.' || n / 2, '1.4.' || n,"
    f" {_MODALITIES}, (ARRAY['CT1', 'CT2', NULL])[n % 3 + 1], n % 4000 * 1000, n / 2 % 3 + 1, 1, {_NOON},"
    f" {_NOON} + n % 1000 * INTERVAL '1 hour' {_EACH}",
    "INSERT INTO prune_ledger (id, orthanc_instance_id, orthanc_series_id, orthanc_study_id, study_instance_uid,"
    " series_instance_uid, sop_instance_uid, modality, patient_id, size_bytes, received_at, state, policy_id,"
    " policy_version, intended_at, deleted_at) SELECT n, md5('l' || n), md5('s' || n / 2), md5('t' || n / 2),"
    f" '1.2.' || n / 2, '1.3.' || n / 2, '1.5.' || n, {_MODALITIES}, 'P' || n / 8, n % 4000 * 1000, {_AGO},"
    f" (ARRAY['deleted', 'deleted', 'kept', 'intended'])[n % 4 + 1], nullif(n % 4, 0), 1, {_NOON}, {_NOON} {_EACH}",
)
VIEWS = (
    "INSERT INTO saved_view (version, is_on, list, name, query, is_shared, saved_by, saved_at)"
    " SELECT 1, true, 'archive.studies',"
    f" 'View ' || n, '{{\"modality\": \"CT\"}}', n % 2 = 0, NULL, {_AGO} FROM generate_series(1, :count / 500 + 30) n",
)
NAMES = (
    "INSERT INTO standard_name (modality, name, version, is_on, position, code_value, coding_scheme_designator)"
    " SELECT (ARRAY['CT', 'XA', 'MG'])[n % 3 + 1], 'Name ' || n, 1, n % 4 > 0, n, nullif('RPID' || n % 3, 'RPID0'),"
    f" 'RADLEX' {_FEW_NAMES}",
    "INSERT INTO standard_name_version (standard_name_id, version, document, is_on, position, change, changed_at)"
    " SELECT id, 1, jsonb_build_object('name', name, 'modality', modality, 'rules', '[]'::jsonb), is_on, position,"
    f" 'created', {_NOON} FROM standard_name",
    "INSERT INTO exam_name (key, modality, study_description, requested_procedure_description, procedure_codes,"
    " protocols, standard_name_id) SELECT md5('n' || n), (ARRAY['CT', 'XA', 'MG'])[n % 3 + 1],"
    " nullif('Exam ' || n % 60, 'Exam 0'), nullif('Procedure ' || n % 7, 'Procedure 0'),"
    " ARRAY['P' || n || '^Procedure^99X'], ARRAY['Protocol ' || n], CASE WHEN n % 3 = 0 THEN n % 20 + 1 END"
    f" {_SOME_NAMES}",
    "INSERT INTO protocol_name (modality, name, standard_name_id) SELECT (ARRAY['CT', 'XA', 'MG'])[n % 3 + 1],"
    f" 'Protocol ' || n, CASE WHEN n % 3 = 0 THEN n % 20 + 1 END {_SOME_NAMES}",
    "INSERT INTO exam_dose (orthanc_study_id, quantity, modality, exam_name_id, value, is_doubted, scope_id)"
    " SELECT md5('t' || n), 'irradiation_event_count', (ARRAY['CT', 'XA', 'MG'])[n % 3 + 1],"
    f" n % (:count / 20 + 60) + 1, n % 9, false, 1 {_EACH}",
    "INSERT INTO event_dose (orthanc_study_id, orthanc_instance_id, position, protocol_name_id, doubted, scope_id)"
    f" SELECT md5('t' || n), md5('r' || n), 1, n % (:count / 20 + 60) + 1, '{{}}', 1 {_EACH}",
    "INSERT INTO exam_name_count (exam_name_id, scope_id, count)"  # by triggers, which do not run here
    " SELECT exam_name_id, scope_id, count(*) FROM exam_dose GROUP BY 1, 2",
    "INSERT INTO protocol_name_count (protocol_name_id, scope_id, count)"
    " SELECT protocol_name_id, scope_id, count(*) FROM event_dose GROUP BY 1, 2",
)
ALERTS = (
    "INSERT INTO dose_alert_level (name, version, is_on, kind, exams_from) SELECT 'Level ' || n, 1, false,"
    " (ARRAY['exam', 'cumulative', 'repeat', 'missing', 'outlier'])[n], DATE '2020-01-01' FROM generate_series(1, 5) n",
    "INSERT INTO dose_alert_level_version (dose_alert_level_id, version, document, is_on, change, changed_at)"
    f" SELECT id, 1, '{{}}', false, 'created', {_NOON} FROM dose_alert_level",
    "INSERT INTO dose_alert (level_id, level_version, kind, quantity, orthanc_study_id, study_instance_uid, scope_id,"
    " exam_date, modality, value, limit_value, unit, exam_count, details, is_doubted, state, holds, assignee, fired_at,"
    " changed_at) SELECT id, 1, kind, 'dlp_mgy_cm', md5('t' || n), '1.2.' || n, 1, DATE '2026-11-20' - n % 2920,"
    " (ARRAY['CT', 'XA', NULL])[n % 3 + 1], nullif(n % 90, 0), nullif(n % 50, 0), 'mGy.cm', n % 9 + 1, '{}',"
    " n % 4 = 0, (ARRAY['open', 'acknowledged'])[n % 2 + 1], n % 3 > 0, (ARRAY['anna', 'ben', NULL])[n / 3 % 3 + 1],"
    f" {_AGO}, {_AGO} {_EACH} JOIN dose_alert_level ON id = n % 5 + 1 ORDER BY n",
    "INSERT INTO dose_alert_exam (alert_id, orthanc_study_id, study_instance_uid, is_doubted)"
    " SELECT id, orthanc_study_id, study_instance_uid, false FROM dose_alert",
)
AUDIT = (
    "INSERT INTO audit_event (server, number, key, at, until, what, outcome, way, actor, user_id, roles, address,"
    " place, status, count, path, query, detail, studies, patients, salt, identity_digest, hash)"
    f" SELECT 'a:8042', n, 'key-' || n, {_AGO}, CASE WHEN n % 9 = 0 THEN {_NOON} END,"
    " (ARRAY['view', 'search', 'images', 'change'])[n % 4 + 1], (ARRAY['done', 'refused', 'passed'])[n % 3 + 1],"
    " (ARRAY['page', 'api', 'orthanc'])[n % 3 + 1], (ARRAY['anna', 'ben', NULL])[n % 3 + 1], nullif(n % 3, 2),"
    " ARRAY['physicist'], '10.0.0.' || n % 9, 'archive.study_page', nullif(200, n), n % 3 + 1,"
    " CASE WHEN n % 20 > 0 THEN '/treegarth/studies/1.2.' || n END, CASE WHEN n % 20 > 0 THEN '' END,"
    " CASE WHEN n % 20 > 0 THEN '' END, CASE WHEN n % 20 > 0 THEN ARRAY['1.2.' || n] END,"
    f" CASE WHEN n % 20 > 0 THEN ARRAY['P' || n % 500] END, CASE WHEN n % 20 > 0 THEN 'salt'::bytea END, 'd', 'h'"
    f" {_EACH}",
)
ACCOUNTS = (
    "INSERT INTO user_account (name, folded_name, full_name, is_on, created_at, last_signed_in_at) SELECT 'u' || n,"
    " 'u' || n, CASE WHEN n % 3 > 0 THEN 'User ' || n % 40 END, n % 5 > 0, "
    f"{_AGO}, CASE WHEN n % 4 > 0 THEN {_AGO} END {_EACH}",
    "INSERT INTO user_role (user_id, role) SELECT id, (ARRAY['nurse', 'physicist', 'researcher'])[id % 3 + 1]"
    " FROM user_account WHERE id % 7 > 0",
)
STATEMENTS = (
    *ACCOUNTS,
    *ARCHIVE,
    *TASKS,
    *DOSE,
    *SIZES,
    *NAMES,
    *ALERTS,
    *ACTS,
    *RULES,
    *DELIVERIES,
    *RETENTION,
    *VIEWS,
    *AUDIT,
)
TABLES = (
    *("patient", "study", "series", "instance", "dose_report", "irradiation_event", "administration"),
    *("dose_study", "dose_redecided", "size_import", "size_line", "act", "rule_event", "exam_dose", "event_dose"),
    *("dose_alert", "dose_alert_exam", "user_account", "audit_event"),
    *(
        "rule_outcome",
        "notification",
        "delivery",
        "delivery_object",
        "delivery_member",
        "hold",
        "prune_mark",
        "prune_ledger",
        "departed_study",
    ),
)
"""Those with very many rows."""


def fill_lists(connection: Connection, count: int) -> None:
    """So many rows of each list, about; the tables are empty before, and the server is one's own."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # the rows are known to fit together
    for statement in STATEMENTS:
        connection.execute(text(statement), {"count": count})
    add_up_ledger(connection)
