"""A client that is generated from the served document calls every GET, and understands every answer whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from tests.api_document import check_document, operations
from tests.orthanc.conftest import ServerFactory
from tests.servers import ROOT, OrthancServer, store
from tests.studies import small_studies
from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day
from treegarth.demo.push import Archive, push

AT_ONCE = {"minimum age": "0 minutes", "rate": 100_000, "ask twice above": "100 %"}
DEEDS = [{"label": "seen"}, {"notify": "dashboard"}]
LABEL_IT = {"name": "label", "why": "a test", "when": "by hand", "if": "Modality = CT", "do": DEEDS}
# Lists of what needs a person, and of what deciding anew changed: a server that is well has none of it.
EMPTY_WHERE_ALL_IS_WELL = {"api_dose_redeciding_changes", "api_rule_events"}
MAY_BE_EMPTY = {"api_tasks"}  # what waits for a worker just now
# Without anything said, those of standard names: here no exam has one.
EMPTY_WITHOUT_STANDARD_NAMES = {"api_dose_analysis_figures", "api_dose_analysis_names"}
EMPTY_WITHOUT_SIGN_IN = {"api_access_user_sessions", "api_access_user_tokens", "api_own_sessions", "api_own_tokens"}


def test_a_generated_client_understands_every_answer(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(treegarth={"StableSeconds": 1}).start()
    fill(server, tmp_path)
    document = server.get("openapi.json")
    check_document(document)

    outcomes = outcomes_of_calls(server, generated(document, tmp_path))

    declared = {one["operationId"]: declared_type(one) for _, method, one in operations(document) if method == "get"}
    called = {call.partition(" ")[0] for call in outcomes}
    assert called == set(declared)
    for call, outcome in outcomes.items():
        assert (outcome["status"], outcome["differences"]) == (200, []), call
        assert outcome["parsed"] == declared[call.partition(" ")[0]], call
        assert outcome["bytes"] > 0, call
    empty = {call for call, outcome in outcomes.items() if outcome["length"] == 0}
    assert empty - MAY_BE_EMPTY == EMPTY_WHERE_ALL_IS_WELL | EMPTY_WITHOUT_STANDARD_NAMES | EMPTY_WITHOUT_SIGN_IN


def generated(document: dict[str, Any], folder: Path) -> Path:
    """The folder of the client made of the document. What the generator warns of is a fault of the document."""
    client, given, settings = folder / "client", folder / "openapi.json", folder / "generator.json"
    given.write_text(json.dumps(document), encoding="utf-8")
    settings.write_text('{"post_hooks": []}', encoding="utf-8")
    program = Path(sys.executable).with_name("openapi-python-client")
    done = subprocess.run(
        [program, "generate", "--fail-on-warning", "--path", given, "--config", settings, "--output-path", client],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return client


def outcomes_of_calls(server: OrthancServer, client: Path) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "calls_of_generated_client.py", server.url],
        env={**os.environ, "PYTHONPATH": str(client)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def declared_type(operation: dict[str, Any]) -> str:
    """The class as which a client understands the success of an operation."""
    content: dict[str, Any] = operation["responses"]["200"]["content"]
    [schema] = {json.dumps(one["schema"]) for one in content.values()}
    described = json.loads(schema)
    if "$ref" in described:
        return str(described["$ref"]).rpartition("/")[2]
    if described["type"] == "string":
        return "File" if described.get("format") == "binary" else "str"
    return "".join(part.title() for part in operation["operationId"].split("_")) + "Response200"


def fill(server: OrthancServer, folder: Path) -> None:
    """A hospital day with its doses; a rule applied, a delivery, and one small study that a policy has pruned."""
    small_studies(folder / "small", studies=1, series=1, instances=2)
    store(server, folder / "small")
    server.wait_until_idle()
    [small] = server.get("studies")["items"]
    push(
        hospital_day(1, date(2026, 5, 4), extent=Extent(slices=0.1, detail=0.1)),
        Archive(ae_title="TREEGARTH", dicom_port=server.dicom_port),
    )
    server.wait_until_idle()
    wait_for("the doses", lambda: not server.get("dose/reports", state="unread")["items"])
    uid = str(small["study_instance_uid"])
    copies = {"name": "COPIES", "kind": "folder", "address": {"path": str(folder / "copies")}}
    post(server, "destinations", {"document": copies})
    post(server, "deliveries", {"study_instance_uid": uid, "destination": "COPIES"})
    wait_for("the copies", lambda: len(server.get("deliveries", state="arrived")["items"]) == 2)

    rule = post(server, "rules", {"document": LABEL_IT})["id"]
    requests.put(f"{server.api}/rules/{rule}/state", json={"is_on": True}, timeout=120).raise_for_status()
    post(server, f"rules/{rule}/apply")
    wait_for("what the rule did", lambda: server.get("rule-outcomes")["items"])
    post(server, "views", {"document": {"list": "archive.studies", "name": "CT", "query": {"modality": "CT"}}})
    nobody = {"name": "nobody", "meaning": "phantom", "patient_id": "NOBODY*"}
    post(server, "dose/not-patients", {"document": nobody})
    limit = {"name": "limit", "quantity": "dlp_mgy_cm", "greatest": 90_000}
    post(server, "dose/limits", {"document": limit})
    user = {"name": "anna", "roles": ["nurse"]}
    post(server, "access/users", user)
    high = {"name": "high", "kind": "exam", "quantity": "dlp_mgy_cm", "above": 0.001, "exams_from": "2000-01-01"}
    post(server, "dose/alert-levels", {"document": high})
    wait_for("the alerts", lambda: server.get("dose/alerts")["items"])
    table = "modality,standard_name,study_description\nCT,chest,*never*\n"
    requests.put(f"{server.api}/dose/standard-names/csv", json={"text": table}, timeout=120).raise_for_status()
    half_life = {"name": "half-life", "table": "half_life", "of": "F-18", "value": 6586.2, "source": "ICRP 107"}
    post(server, "dose/coefficients", {"document": half_life})
    publication = {"authors": "Nobody", "title": "Made up", "year": 2024, "table": "Table 1"}
    level = {"modality": "CT", "quantity": "dlp_mgy_cm", "phantom": "body", "standard_name": "Chest", "level": 111}
    levels = {"name": "made up", "place": "Nowhere", "publication": publication, "rows": [level]}
    post(server, "dose/levels", {"document": levels})
    post(server, "dose/sizes", {"text": "accession_number,patient_weight_kg\nNOBODY,70\n", "file_name": "his.csv"})
    wait_for("the size-specific doses", lambda: server.get("dose/ssde")["items"])
    chart = {"name": "c", "chart": "histogram", "quantity": "dlp_body_mgy_cm", "modality": "CT"}
    post(server, "dose/charts", {"document": chart})
    post(server, "character-sets", {"document": {"name": "k", "station_name": "CT1", "really": "ISO_IR 192"}})
    for exam in server.get("dose/studies")["items"]:
        decided = post(server, f"dose/studies/{exam['study_instance_uid']}/acts", {"act": "void", "reason": "a test"})
        post(server, f"dose/acts/{decided['id']}/undo", {"reason": "a test"})

    condition = f"PatientID = '{small['patient_id']}'"
    now = policy(server, "now", condition, grace="0 minutes")
    later = policy(server, "later", condition.replace("=", "!="), grace="1 day")
    switch_on(server, now, 2)
    wait_for("the pruning", lambda: len(server.get("retention/ledger/objects", state="deleted")["items"]) == 2)
    server.wait_until_idle()
    switch_on(server, later, int(server.get("status")["indexed_instances"]))
    wait_for("the marks", lambda: server.get("retention/marked")["items"])
    post(server, "retention/holds", {"study_instance_uid": uid, "kind": "teaching", "reason": "a test"})
    post(server, "dose/reread")
    entry = server.get("retention/ledger/objects")["items"][0]["id"]
    post(server, f"retention/ledger/{entry}/bring-back", {"scope": "object"})
    wait_for("the end of reading again", lambda: server.get("work", kind="dose.reread")["items"][0]["finished_at"])
    post(server, "dose/redeciding")
    wait_for("the end of deciding anew", lambda: server.get("work", kind="dose.redeciding")["items"][0]["finished_at"])
    wait_for("the way back", lambda: server.get("work", kind="retention.bring_back")["items"][0]["state"] == "done")
    raw = server.get("dose/raw-names")["items"][0]
    alike = {"name": raw["study_description"] or raw["protocols"][0], "modality": raw["modality"], "rules": []}
    post(server, "dose/standard-names", {"document": alike})
    made = post(server, "studies/export/csv", {})["id"]
    wait_for("the file", lambda: server.get(f"work/{made}")["result_name"])
    server.wait_until_idle()


def policy(server: OrthancServer, name: str, condition: str, **given: Any) -> int:
    document = {"name": name, "why": "a test", "if": condition, "keep": "nothing", "proof": "none", **AT_ONCE, **given}
    return int(post(server, "retention/policies", {"document": document})["id"])


def switch_on(server: OrthancServer, policy_id: int, count: int) -> None:
    """When nothing speaks against so many objects any more: their studies have come to rest."""
    wait_for(
        f"{count} may go",
        lambda: server.get("retention/preview", policy_id=policy_id)["today"]["instance_count"] == count,
    )
    body = {"is_on": True, "typed_count": count, "only_copy_may_go": True}
    requests.put(f"{server.api}/retention/policies/{policy_id}/state", json=body, timeout=120).raise_for_status()


def post(server: OrthancServer, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = requests.post(f"{server.api}/{path}", json=body, timeout=120)
    assert answer.ok, answer.text
    return answer.json()


def wait_for(what: str, is_so: Callable[[], object], timeout_s: float = 180) -> None:
    deadline = monotonic() + timeout_s
    while not is_so():
        assert monotonic() < deadline, f"not there after {timeout_s} s: {what}"
        sleep(0.3)
