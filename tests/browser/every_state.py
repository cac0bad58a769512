"""What forms of the dashboard are there for: marks, holds, notices, work that failed."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, sleep
from typing import Any

import requests

from tests.delivery_support import ledger_of
from tests.servers import OrthancServer


def states(server: OrthancServer, known: Mapping[str, Any]) -> dict[str, Any]:
    """Bring about what forms are there for: marks, holds, notices, work that failed."""

    def ask(method: str, path: str, **body: Any) -> Any:
        answer = requests.request(method, f"{server.api}/{path}", json=body, timeout=120)
        assert answer.status_code < 300, answer.text
        return answer.json()

    study = known["study_instance_uid"]
    others = [one for one in server.get("studies")["items"] if one["study_instance_uid"] != study]
    held = next(one for one in others if "CT" not in one["modalities"] and not one["modalities"].count("SR"))
    marked = next(one for one in others if one["modalities"] == ["CT"])["study_instance_uid"]
    ask("POST", "retention/holds", study_instance_uid=held["study_instance_uid"], kind="teaching", reason="a test")
    ask("POST", "views", document={"list": "archive.studies", "name": "A view", "query": {"modality": "CT"}})
    rule = {"name": "tell", "on": True, "when": "by hand", "do": [{"notify": "dashboard"}]}
    second = ask("POST", "rules", document=rule)["id"]
    ask("POST", f"rules/{second}/apply", study_instance_uid=study)
    marking = {"name": "mark", "why": "a test", "keep": "nothing", "proof": "none", "minimum age": "0 minutes"}
    policy = ask("POST", "retention/policies", document=marking)["id"]
    count = count_to_mark(server, policy)
    ask("PUT", f"retention/policies/{policy}/state", is_on=True, typed_count=count, only_copy_may_go=True)
    wait_for(server, "retention/marked")
    wait_for(server, "notifications")
    ask("POST", "dose/not-patients", document={"name": "phantoms", "patient_id": "PHANTOM*", "meaning": "phantom"})
    ask("POST", f"dose/studies/{study}/acts", act="void", reason="a test")
    with ledger_of(server) as ledger, ledger.engine.begin() as connection:
        for statement in FAILED:
            connection.exec_driver_sql(statement)
    return {"second_rule_id": second, "marked_study": marked}


FAILED = (
    """INSERT INTO rule_event (trigger, orthanc_study_id, orthanc_series_id, state, attempts, last_error)
       SELECT 'study stable', orthanc_study_id, '', 'failed', 6, '"a test"' FROM study LIMIT 3""",
    """INSERT INTO notification (channel, target, title, content, state, created_at, attempts, last_error)
       SELECT 'webhook', 'gone', 'a test', '{}', 'given up', now(), 6, '"a test"' FROM generate_series(1, 4)""",
    """INSERT INTO long_work (id, kind, subject, is_asked, asked_at, state, finished_at)
       VALUES (1000, 'archive.comparison', 'a test', true, now(), 'stopped', now())""",
    """UPDATE prune_ledger
       SET proof = '[{"destination": "Kept folder", "kind": "stored", "at": "2026-11-20T12:00:00+00:00"}]'""",
    """UPDATE dose_report SET state = 'failed', last_error = '"a test"'
       WHERE orthanc_instance_id IN (SELECT orthanc_instance_id FROM dose_report WHERE state = 'read'
         ORDER BY orthanc_instance_id DESC LIMIT 3)""",
    """INSERT INTO series_ssde (orthanc_series_id, orthanc_study_id, series_instance_uid, study_instance_uid, state,
         last_error)
       SELECT orthanc_series_id, orthanc_study_id, series_instance_uid, '1.2.3', 'failed', '"a test"' FROM series
       WHERE modality = 'CT' LIMIT 2
       ON CONFLICT (orthanc_series_id) DO UPDATE SET state = 'failed', last_error = '"a test"'""",
    "UPDATE delivery_object SET state = 'given up', attempts = 20, last_error = '\"disk full\"'",
    """INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, attempts)
       SELECT 'default', 'treegarth:tasks.forget_old', 0, '{"timestamp": 0}', 'failed', 3 FROM generate_series(1, 2)""",
)


def count_to_mark(server: OrthancServer, policy: int) -> int:
    """Once nothing arrives any more: a policy that finds nothing looks again tomorrow."""
    deadline = monotonic() + 150  # a busy machine
    while True:
        preview = requests.get(f"{server.api}/retention/preview", params={"policy_id": policy}, timeout=120).json()
        if found := int(preview["today"]["instance_count"]):
            return found
        assert monotonic() < deadline, preview
        sleep(0.3)


def wait_for(server: OrthancServer, path: str) -> None:
    deadline = monotonic() + 150  # a busy machine
    while not server.get(path)["items"]:
        if monotonic() >= deadline:
            policies, tasks = server.get("retention/policies")["items"], server.get("tasks")["items"][:20]
            raise AssertionError(f"nothing in {path}; policies: {policies}; tasks: {tasks}")
        sleep(0.3)
