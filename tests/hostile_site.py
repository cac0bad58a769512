"""The whole application on a database with one of everything, and what an honest caller would say to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.database.test_dose_pages import write_report
from tests.hostile_requests import JSON, Answer, Application, Known, Request, answered
from tests.index_support import write_study
from tests.places import HERE
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Route

ROOT = Path(__file__).resolve().parents[1]
UID = "1.2.840.99999.1.1"
RULE = {
    "name": "r",
    "why": "w",
    "when": "study stable",
    "if": {"all": ["Modality = CT", {"not": {"any": ["PatientID like '*a*'"]}}]},
    "do": [
        {"label": {"add": ["x"], "remove": ["y"]}},
        {"deliver": {"to": "NODE", "objects": {"series": "Modality = CT"}, "proof": "best"}},
        {"notify": {"dashboard": True, "title": "t"}},
        {"hold": {"kind": "legal", "reason": "r", "for": "3 days"}},
        {"release": "legal"},
    ],
    "on": True,
}
RULES_TEXT = "- name: a\n  when: by hand\n  do: [label: x]\n"
POLICY = {
    "name": "p",
    "why": "w",
    "if": "Modality = CT",
    "keep": [{"instance": "InstanceNumber = 1"}],
    "after": "1 day since received",
    "space": {"high": "2 GB", "low": "1 GB"},
    "proof": {"at": "NODE", "within": "1 day"},
    "hours": "22:00-06:00",
}
POLICY_TEXT = "name: q\nwhy: w\nkeep: nothing\nproof: none\nafter: 1 day since received\n"
SIZES_TEXT = "accession_number,patient_weight_kg\nA1,70\nA2,80\n"
DESTINATION = {
    "name": "NODE",
    "kind": "dicom",
    "address": {"ae_title": "N", "host": "127.0.0.1", "port": 104},
    "windows": [{"days": ["mon"], "begin": "22:00", "end": "06:00"}],
    "max_mbit_per_s": 1.5,
}
RULE_FORM = {
    "tab": "form",
    "act": "save",
    "version": "1",
    "name": "f",
    "why": "w",
    "when": "schedule",
    "schedule": "daily at 03:00",
    "c.join": "all",
    "c.level": "study",
    "c.2.raw": "x = y",
    "c.0.field": "ModalitiesInStudy",
    "c.0.operator": "in",
    "c.0.value": "CT",
    "c.1.join": "none",
    "c.1.level": "series",
    "c.1.0.field": "SeriesDate",
    "c.1.0.operator": "within",
    "c.1.0.value": "3",
    "c.1.0.unit": "days",
    "a.0.kind": "label",
    "a.0.add": "seen",
    "a.1.kind": "nothing",
    "a.1.raw": "{}",
    "text": "name: t\nwhen: by hand\ndo: [label: x]\n",
}
NODE_FORM = {
    "kind": "dicom",
    "name": "N3",
    "address.ae_title": "A",
    "address.host": "h",
    "address.port": "104",
    "address.password": "/x",
    "address.password.unit": "file",
    "max_associations": "1",
    "max_mbit_per_s": "1.5",
    "windows.0.days": "mon",
    "windows.0.begin": "22:00",
    "windows.0.end": "06:00",
}
KNOWN = Known(
    values={
        "study_instance_uid": UID,
        "series_instance_uid": "1.2.840.99999.2.1",
        "patient_id": "P1",
        "label": "seen",
        "orthanc_instance_id": "instance-1",
        "format": "csv",
        "path": "treegarth.css",
        "destination": "NODE",
        "text": RULES_TEXT,
        "kind": "legal",
        "reason": "r",
        "meaning": "qa",
        "on": True,
        "is_on": True,
        "direction": "up",
    },
    bodies={
        **{f"api.{name}": {"document": RULE} for name in ("create_rule", "preview_rule_document")},
        **{f"api.{name}_retention_policy": {"document": POLICY} for name in ("create", "try")},
        "api.create_destination": {"document": DESTINATION},
        "api.edit_rule": {"document": RULE, "version": 1},
        "api.edit_retention_policy": {"document": POLICY, "version": 1},
        "api.edit_destination": {"document": DESTINATION, "version": 1},
        "api.import_retention_policies": {"text": f"- {POLICY_TEXT}".replace("\n", "\n  ").rstrip()},
        "api.request_delivery": {"study_instance_uid": UID, "destination": "NODE"},
    },
    forms={
        "rules.create_page": RULE_FORM,
        "rules.change_page": RULE_FORM,
        "rules.take_in_page": {"text": RULES_TEXT, "act": "look"},
        "retention.take_in_page": {"text": POLICY_TEXT, "act": "look"},
        "destinations.take_in_page": {"text": json.dumps(DESTINATION), "act": "look"},
        "retention.create_page": {"text": POLICY_TEXT, "act": "look"},
        "retention.change_page": {"text": POLICY_TEXT, "act": "save"},
        "retention.rescue_page": {"one": UID, "back": UID},
        "deliveries.create_destination_page": {**NODE_FORM, "act": "save"},
        "deliveries.change_destination_page": {"kind": "s3", "name": "N3", "address.bucket": "abc", "act": "save"},
    },
)
ASKS_ORTHANC = ("api.echo_destination", "deliveries.echo_page")  # twice, with pauses: there is none here


@dataclass(frozen=True)
class Site:
    """The application, and the table of its routes."""

    application: Application
    routes: dict[str, Route]

    def ask(self, request: Request) -> Answer:
        return answered(self.application, request)

    def get(self, path: str, query: str = "") -> Answer:
        return self.ask(Request(method="GET", path=path, query=query))

    def send(self, method: str, path: str, body: Any) -> Answer:
        answer = self.ask(
            Request(method=method, path=f"{API_PATH}/{path}", body=json.dumps(body).encode(), media_type=JSON)
        )
        assert answer.status < 300, answer.body
        return answer


def make_site(engine: Engine) -> Site:
    """On a database that has nothing in it yet."""
    with engine.begin() as connection:
        for number in (1, 2, 3):
            write_study(connection, number)
    write_report(engine, 1, dlp_total_mgy_cm=100.0, patient_id="P1", orthanc_study_id="study-00001")
    write_report(engine, 2, state="failed", kind=None, last_error="no", orthanc_study_id="study-00002")
    application: Any = make_application(make_services(ROOT / "web", settings=HERE, engine=lambda: engine))
    site = Site(application, application.extensions["treegarth"].routes)
    site.send("POST", "destinations", {"document": DESTINATION})
    site.send("POST", "rules", {"document": RULE})
    site.send("PUT", "rules/1/state", {"is_on": True})
    site.send("POST", "retention/policies", {"document": POLICY})
    site.send("POST", "dose/sizes", {"text": SIZES_TEXT, "file_name": "sizes.csv"})
    for study in (1, 2, 3):
        uid = f"1.2.840.99999.1.{study}"
        site.send("POST", "deliveries", {"study_instance_uid": uid, "destination": "NODE"})
        site.send("POST", "retention/holds", {"study_instance_uid": uid, "kind": "legal", "reason": "r"})
    return site


def assert_never_500(site: Site, requests: Iterable[Request], *, at_least: int = 100) -> None:
    """And that there were enough of them to mean something."""
    count, failed = 0, []
    for request in requests:
        count += 1
        if site.ask(request).status == 500:
            failed.append(str(request))
    assert failed == []
    assert count >= at_least


def ordered(site: Site, *, is_api: bool, reads: bool) -> list[Route]:
    """Those of a kind; what removes something comes last."""
    found = [
        one
        for one in site.routes.values()
        if one.is_api == is_api and (one.method == "GET") == reads and one.name not in ASKS_ORTHANC
    ]
    return sorted(found, key=lambda one: (one.method == "DELETE", "remove" in one.name, one.name))
