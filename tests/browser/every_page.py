"""A server of which every page has something to show, and the addresses of all its pages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import date
from functools import cache
from io import StringIO
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeAlias

import requests

from tests.servers import ROOT, OrthancServer
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.demo.demonstration import check_what_was_read
from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day
from treegarth.demo.push import Archive, push
from treegarth.orthanc.client import OrthancAddress, OrthancClient
from treegarth.web.routes import Route
from treegarth.web.site import Site

Login: TypeAlias = tuple[str, str]

SIZES = "accession_number,patient_size_cm,patient_weight_kg\nNOBODY,172,70\nNOBODY TOO,1,1\n"
POLICY = "name: old\nwhy: space\nkeep: nothing\nafter: 90 days since received\nproof: none\n"
LEVEL = {"modality": "CT", "quantity": "dlp_mgy_cm", "phantom": "body", "standard_name": "Chest", "level": 111}
OF_OWN_SIGN_IN = (
    *("accounts.sign_in_page", "accounts.code_page", "accounts.password_page", "accounts.second_step_page"),
    *("accounts.provider_start", "accounts.provider_back"),
)
"""What answers only where users sign in at Treegarth itself, which none of the servers that are visited have."""
NO_PAGES = {
    "rules.bell_page": "a part of every page, which asks for it by itself",
    "archive.study_choices": "a part of a form, which asks for it while somebody types",
    "rules.open_notice_page": "leads to the page of the study that a notice is about",
    "retention.frees_page": "a part of a policy's page, which asks for it by itself",
    **dict.fromkeys(OF_OWN_SIGN_IN, "where users sign in here alone: the tests of the sign-in look at it"),
    "web.ohif_start": "OHIF's page: the tests of the viewer look at it",
}
"""What answers HTML and is no page to be visited: by the name of the route, why."""

ASKED_FOR = {"retention.explain_page": {"study_instance_uid"}}
"""What a page says more of where it is given, by the name of the route."""


def push_two_studies(server: OrthancServer, login: Login | None = None) -> None:
    """Of the made-up day; they are in the index and their dose is read when this returns."""
    authorization = "Basic " + b64encode(":".join(login).encode()).decode() if login else None
    day = hospital_day(1, date(2026, 11, 20), extent=Extent(slices=0.25, detail=0.25))
    sent = push(islice(day, 2), Archive(ae_title="TREEGARTH", dicom_port=server.dicom_port))
    client = OrthancClient(OrthancAddress(url=server.url, authorization=authorization))
    assert check_what_was_read(client, sent, StringIO()) == 0
    client.close()


def made_user(api: str, login: Login | None = None) -> int:
    """The number of a user with a role."""
    body = {"name": f"anna {monotonic()}", "full_name": "Anna Kim", "roles": ["physicist"]}
    answer = requests.post(f"{api}/access/users", json=body, auth=login, timeout=60)
    answer.raise_for_status()
    number: int = answer.json()["user"]["id"]
    return number


def prepared(server: OrthancServer, folder: Path, gone: str, login: Login | None = None) -> dict[str, Any]:
    """What the parts of pages' addresses are filled with. The study `gone` is deleted: the ledger has an entry then."""

    def ask(method: str, url: str, **given: Any) -> Any:
        answer = requests.request(method, url, auth=login, timeout=120, **given)
        answer.raise_for_status()
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

    def api(path: str, **given: Any) -> Any:
        return ask("GET", f"{server.api}/{path}", params=given)

    studies = api("studies", modality="CT")["items"]
    study = next(item for item in studies if "SR" in item["modalities"])
    uid = study["study_instance_uid"]
    kept = {"name": "Kept folder", "kind": "folder", "address": {"path": str(folder / "kept")}}
    rule = {"name": "label all", "on": True, "when": "by hand", "do": [{"label": "seen"}]}
    destination = ask("POST", f"{server.api}/destinations", json={"document": kept})
    ask("POST", f"{server.api}/deliveries", json={"destination": "Kept folder", "study_instance_uid": uid})
    ask("PUT", f"{server.api}/retention/policies/text", json={"text": POLICY})
    (found,) = ask("POST", f"{server.url}/tools/lookup", data=gone)
    ask("DELETE", f"{server.url}/studies/{found['ID']}")
    deadline = monotonic() + 150
    while not (ledger := api("retention/ledger/objects")["items"]) and monotonic() < deadline:
        sleep(0.2)
    work = ask("POST", f"{server.api}/studies/export/csv", json={})  # one that makes a file
    while api(f"work/{work['id']}")["is_running"] and monotonic() < deadline:
        sleep(0.2)
    reports = api("dose/reports")["items"]
    nobody = {"name": "nobody", "meaning": "phantom", "patient_id": "NOBODY*"}
    half_life = {"name": "half-life", "table": "half_life", "of": "F-18", "value": 6586.2, "source": "ICRP 107"}
    publication = {"authors": "Nobody", "title": "Made up", "year": 2024, "table": "Table 1"}
    levels = {"name": "made up", "place": "Nowhere", "publication": publication, "rows": [LEVEL]}
    limit = {"name": "limit", "quantity": "dlp_mgy_cm", "greatest": 90_000}
    chart = {"name": "by device", "chart": "boxes", "quantity": "dlp_body_mgy_cm", "modality": "CT", "by": "device"}
    table = "modality,standard_name,study_description\nMG,imported,*never*\n"
    ask("PUT", f"{server.api}/dose/standard-names/csv", json={"text": table})
    chest = {"name": "chest", "modality": "CT", "rules": [{"study_description": "*thorax*"}]}
    named = ask("POST", f"{server.api}/dose/standard-names", json={"document": chest | {"rules": []}})
    edited = {"document": chest, "version": named["version"]}
    ask("PUT", f"{server.api}/dose/standard-names/{named['id']}", json=edited)  # so that there is one to go back to
    watched = {"name": "any CT", "kind": "exam", "quantity": "dlp_mgy_cm", "above": 1e-3, "exams_from": "2000-01-01"}
    alert_level = ask("POST", f"{server.api}/dose/alert-levels", json={"document": watched})
    deadline = monotonic() + 150
    while not (alerts := api("dose/alerts")["items"]):
        assert monotonic() < deadline, "no alert"
        sleep(0.2)
    made_chart = ask("POST", f"{server.api}/dose/charts", json={"document": chart | {"by": "age"}})
    edited = {"document": chart, "version": made_chart["version"]}
    ask("PUT", f"{server.api}/dose/charts/{made_chart['id']}", json=edited)  # so that there is one to go back to
    series = api(f"studies/{uid}")["series"][0]["series_instance_uid"]
    korean = {"name": "korean", "manufacturer": "*", "station_name": "CT?", "really": "ISO 2022 IR 149"}
    return {
        "sop_instance_uid": api(f"studies/{uid}/series/{series}/instances")["items"][0]["sop_instance_uid"],
        "character_set_id": ask("POST", f"{server.api}/character-sets", json={"document": korean})["id"],
        "work_id": work["id"],
        "user_id": made_user(server.api, login),
        "role_id": api("access/roles")["items"][-1]["id"],  # the first one stays
        "study_instance_uid": uid,
        "series_instance_uid": series,
        "orthanc_study_id": study["orthanc_study_id"],
        "orthanc_instance_id": next(r["orthanc_instance_id"] for r in reports if r["study_instance_uid"] == uid),
        "patient_id": study["patient_id"],
        "destination_id": destination["id"],
        "not_patient_rule_id": ask("POST", f"{server.api}/dose/not-patients", json={"document": nobody})["id"],
        "standard_name_id": named["id"],
        "device_key": api("dose/equipment")["items"][0]["key"],
        "size_import_id": ask("POST", f"{server.api}/dose/sizes", json={"text": SIZES, "file_name": "his.csv"})["file"][
            "id"
        ],
        "dose_alert_level_id": alert_level["id"],
        "table": "month",
        "format": "csv",
        "dose_alert_id": alerts[0]["id"],
        "dose_limit_id": ask("POST", f"{server.api}/dose/limits", json={"document": limit})["id"],
        "dose_coefficient_id": ask("POST", f"{server.api}/dose/coefficients", json={"document": half_life})["id"],
        "dose_chart_id": made_chart["id"],
        "level_set_id": ask("POST", f"{server.api}/dose/levels", json={"document": levels})["id"],
        "rule_id": ask("POST", f"{server.api}/rules", json={"document": rule})["id"],
        "policy_id": api("retention/policies")["items"][0]["id"],
        "ledger_id": ledger[0]["id"],
        "gone_study": "study_instance_uid={study_instance_uid}&orthanc_study_id={orthanc_study_id}".format(**ledger[0]),
    }


def pages(known: dict[str, Any]) -> list[str]:
    """The address of every page below /treegarth/, by the route table itself."""
    return [_address(route, known) for route in html_routes() if route.name not in NO_PAGES]


def no_pages(known: dict[str, Any]) -> list[str]:
    """The address of whatever else is asked for by GET: files, parts of pages, what leads elsewhere."""
    others = (one for one in every_route() if one.method == "GET" and not one.is_api and "{path:path}" not in one.path)
    named = [one for one in others if not one.is_html or one.name in NO_PAGES.keys() - set(OF_OWN_SIGN_IN)]
    return [_address(route, known) for route in named]


def html_routes() -> list[Route]:
    """Of the route table, what answers HTML by GET."""
    return [route for route in every_route() if route.is_html]


def every_route() -> Iterable[Route]:
    """The one table of routes."""
    return list(_site().routes.values())


@cache
def _site() -> Site:
    site: Site = make_application(make_services(ROOT / "web")).extensions["treegarth"]
    return site


def _address(route: Route, known: dict[str, Any]) -> str:
    fields = route.query.model_fields if route.query else {}
    needed = {name for name, field in fields.items() if field.is_required()} | ASKED_FOR.get(route.name, set())
    values = {name: known[name] for name in (*route.path_names, *needed)}
    return _site().url(route.name, **values).removeprefix("/treegarth/")
