"""Two patients with one Study Instance UID, over the whole route table: whatever takes a study's UID asks back which
one is meant, and shows and touches one patient's study alone. A route that is new and takes one is asked, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel
from sqlalchemy import Engine, func, insert, select, update

from tests.index_support import write_study
from tests.retention_support import add_up_ledger, table
from tests.unit.web.web_support import NOW, make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.deliveries.tables import delivery, delivery_object
from treegarth.features.retention.tables import hold, prune_ledger, prune_mark, retention_policy
from treegarth.features.rules.tables import notification, rule_outcome
from treegarth.web.routes import Route

WEB = Path(__file__).parents[2] / "web"
UID = "1.2.840.99999.7"
ANNA, BERTA = "study-00001", "study-00002"
OF_ANNA, OF_BERTA = ("ANNA-ID", "Anna", "why of study-00001"), ("BERTA-ID", "Berta", "why of study-00002")
NOT_ASKED = {
    "api.list_studies": "lists every study of the UID, each with its patient: that is how one is chosen",
    "api.list_studies_file": "the same",
    "api.list_studies_prepare": "the same",
    "api.list_studies_act_on_all": "the same",
    "archive.studies_prepare": "the same",
    "archive.instances_prepare": "its form says where it stood, a study too; the endpoint is asked the same",
    "archive.studies_page": "the same; only what its panel opens is asked back",
    **dict.fromkeys(("archive.studies_csv", "archive.studies_xlsx", "archive.studies_parquet"), "the same"),
}
OWN_TESTS = ("api.dose_", "dose.")  # the dose registry chooses among what it keeps by itself
BY_UID = ("audit.", "api.audit_")  # the trail keeps no other name of a study, whosever it was
PATH_ALONE = {"api.set_label", "api.take_off_label"}  # Orthanc hands on no query of PUT and DELETE


def routes_of_studies() -> list[Route]:
    return [
        route
        for route in house(make_services(WEB).settings).routes()
        if any("study_instance_uid" in model.model_fields for model in models_of(route))
        and route.name not in NOT_ASKED
        and not route.name.startswith((*OWN_TESTS, *BY_UID))
        and not route.name.endswith("_act")  # takes rows, which each are of one study
    ]


def models_of(route: Route) -> list[type[BaseModel]]:
    return [model for model in (route.path_parameters, route.query, route.body) if model is not None]


ROUTES = routes_of_studies()


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    services = make_services(WEB, engine=lambda: engine)
    with transaction(engine) as connection:
        write_study(connection, 1, study_instance_uid=UID, patient_id="ANNA-ID", patient_name="Anna^A")
        write_study(connection, 2, study_instance_uid=UID, patient_id="BERTA-ID", patient_name="Berta^B")
        write_study(connection, 3, patient_id="CARLA-ID", patient_name="Carla^C")
        connection.execute(update(table("instance")).values(rows=512, columns=512))
        its_face = func.replace(table("series").c.orthanc_series_id, "series", "instance") + "-1"
        connection.execute(update(table("series")).values(header_orthanc_instance_id=its_face))
        connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
        document = {"name": "p", "why": "space", "keep": "nothing", "after": "90 days since received", "proof": "none"}
        version = {"policy_id": 1, "version": 1, "document": document, "is_on": False, "change": "created"}
        connection.execute(insert(table("retention_policy_version")).values(**version, changed_at=NOW))
        connection.execute(
            insert(table("destination")).values(id=1, name="FAR", kind="folder", address={"path": "/kept"})
        )
        for number in (1, 2):
            write_traces(connection, number)
        add_up_ledger(connection)
    client = make_application(services).test_client()
    rule = {"name": "r", "why": "", "when": "by hand", "if": "Modality = CT", "do": [{"label": "x"}]}
    made = client.post("/treegarth/api/v1/rules", json={"document": rule})
    assert made.status_code == 201, made.text
    assert client.put("/treegarth/api/v1/rules/1/state", json={"is_on": True}).status_code < 300
    return client


def write_traces(connection: Any, number: int) -> None:
    """A hold, a mark, an entry of the ledger that came back, a delivery, an outcome, a notice."""
    study = {"orthanc_study_id": f"study-{number:05}", "study_instance_uid": UID}
    sop = {"sop_instance_uid": f"1.2.840.99999.3.{number}.1", "size_bytes": 500}
    of_series = {"orthanc_series_id": f"series-{number:05}"}
    why = f"why of study-{number:05}"
    connection.execute(insert(hold).values(**study, kind="legal", reason=why, set_at=NOW))
    one = {**study, **sop, **of_series, "orthanc_instance_id": f"instance-{number:05}-1"}
    policy = {"policy_id": 1, "policy_version": 1}
    connection.execute(insert(prune_mark).values(**one, **policy, marked_at=NOW, due_at=NOW, last_words=why))
    gone = {**one, "orthanc_instance_id": f"gone-{number}", "series_instance_uid": f"1.2.840.99999.2.{number}"}
    patient = "ANNA-ID" if number == 1 else "BERTA-ID"
    connection.execute(
        insert(prune_ledger).values(
            **gone, **policy, patient_id=patient, received_at=NOW, state="deleted", deleted_at=NOW, kept_because=why
        )
    )
    done = {"destination_id": 1, "state": "confirmed", "proof_wanted": "find", "last_error": why}
    connection.execute(insert(delivery_object).values(**gone, **done))
    connection.execute(
        insert(delivery).values(
            **study,
            **of_series,
            series_instance_uid=f"1.2.840.99999.2.{number}",
            destination_id=1,
            asked_by=why,
            created_at=NOW,
            changed_at=NOW,
        )
    )
    outcome = {"rule_id": 1, "version": 1, "trigger": "by hand", "decided_at": NOW, "asked_by": why, "actions": []}
    connection.execute(insert(rule_outcome).values(**study, **outcome))
    notice = {"channel": "dashboard", "title": why, "content": {}, "created_at": NOW}
    connection.execute(insert(notification).values(**study, **notice))


def ask(client: FlaskClient, route: Route, which: str | None, *, lang: str = "en") -> Any:
    """The route, of the UID that two patients share, of one of them if that is said."""
    uid = which if which is not None and route.name in PATH_ALONE else UID
    number = 1 if which != BERTA else 2
    parts = {
        "study_instance_uid": uid,
        "series_instance_uid": f"1.2.840.99999.2.{number}",
        "sop_instance_uid": f"1.2.840.99999.3.{number}.1",
        "label": "lung",
        "format": "csv",
        "rule_id": "1",
        "policy_id": "1",
    }
    path = route.path.format(**{name: parts[name] for name in route.path_names})
    named = {} if which is None else {"orthanc_study_id": which}
    query = {"policy_id": "1"} if route.query and "policy_id" in route.query.model_fields else {}
    if route.query and "study_instance_uid" in route.query.model_fields and route.method == "GET":
        query["study_instance_uid"] = UID
    if route.method == "GET":
        query |= named
    by_name = route.is_api and not route.name.endswith("_prepare")  # a list is asked for what has its number
    kept = {"destination": "FAR" if by_name else "1", "kind": "teaching", "reason": "asked"}
    kept |= {"meaning": "phantom", "act": "void", "way": "set", "label": "lung"}
    fields = route.body.model_fields if route.body else {}
    body = {**{name: value for name, value in kept.items() if name in fields}, **(named if fields else {})}
    if "study_instance_uid" in fields:
        body["study_instance_uid"] = UID
    if route.name == "retention.hold_page":
        body["study"] = UID
    given: dict[str, Any] = {"json" if route.is_api else "data": body} if route.body else {}
    client.set_cookie("treegarth_language", lang)
    return client.open(path, method=route.method, query_string=query, **given)


def test_the_whole_route_table_is_asked() -> None:
    """That the walk finds what it is there for."""
    names = {route.name for route in ROUTES}
    assert {"archive.study_page", "api.read_study", "api.deliveries", "api.set_retention_hold", "api.labels"} <= names
    assert len(names) >= 22
    without = [
        route.name
        for route in ROUTES
        if route.name not in PATH_ALONE
        and not any("orthanc_study_id" in model.model_fields for model in models_of(route))
    ]
    assert without == []


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_uid_of_two_patients_is_asked_back(client: FlaskClient, lang: str) -> None:
    for route in ROUTES:
        check_asks_back(route, ask(client, route, None, lang=lang))


def test_the_panel_of_the_list_is_asked_back(client: FlaskClient) -> None:
    asked = client.get("/treegarth/studies", query_string={"study_instance_uid": UID, "open": UID})
    assert asked.status_code == 409
    assert f"orthanc_study_id={ANNA}" in asked.text


def check_asks_back(route: Route, answer: Any) -> None:
    if route.name == "retention.hold_page":  # the form stays as it was typed, with the choices
        assert f'name="chosen_study" value="{ANNA}"' in answer.text
    else:
        assert answer.status_code == 409, (route.name, answer.text[:500])
    if route.is_api:
        choices = {one["orthanc_study_id"]: one["patient_id"] for one in answer.get_json()["choices"]}
        assert choices == {ANNA: "ANNA-ID", BERTA: "BERTA-ID"}, route.name
        return
    for patient, study in (("ANNA-ID", ANNA), ("BERTA-ID", BERTA)):
        assert patient in answer.text, route.name
        if route.method == "GET":
            assert f"orthanc_study_id={study}" in answer.text, route.name


@pytest.mark.parametrize(("which", "others"), [(ANNA, OF_BERTA), (BERTA, OF_ANNA)], ids=["anna", "berta"])
def test_a_named_study_is_shown_without_a_word_of_the_other(
    client: FlaskClient, which: str, others: tuple[str, ...]
) -> None:
    for route in ROUTES:
        answer = ask(client, route, which)
        assert answer.status_code < 400, (route.name, answer.text[:500])
        for word in (*others, ANNA if which == BERTA else BERTA):
            text = answer.data.decode(errors="replace")  # some are files
            assert word not in text + answer.headers.get("Location", ""), (route.name, word)


def test_a_study_of_another_uid_is_not_found(client: FlaskClient) -> None:
    for route in ROUTES:
        answer = ask(client, route, "study-00003")
        if route.name in PATH_ALONE:
            assert answer.status_code == 200  # there the identifier is the address
        elif route.name == "rules.apply_page":
            assert "treegarth_told" in answer.headers["Set-Cookie"]
        elif route.name == "retention.hold_page":
            assert "Choose the study that is meant." in answer.text  # the words find two, of which it is none
        else:
            assert answer.status_code == 404, (route.name, answer.text[:500])


def test_what_is_asked_of_one_is_done_to_it_alone(client: FlaskClient, engine: Engine) -> None:
    for route in ROUTES:
        if route.method != "GET":
            assert ask(client, route, None).status_code in (200, 303, 409)
    with engine.connect() as connection:
        labels = table("study_label")
        assert connection.execute(select(hold.c.id).where(hold.c.kind == "teaching")).all() == []
        assert connection.execute(select(labels)).all() == []
        assert len(connection.execute(select(prune_mark)).all()) == 2
        assert connection.execute(select(table("rule_event"))).all() == []
        assert len(connection.execute(select(delivery_object)).all()) == 2
    for route in ROUTES:
        if route.method != "GET" and route.name != "api.take_off_label":
            assert ask(client, route, BERTA).status_code < 400
    with engine.connect() as connection:
        held = select(hold.c.orthanc_study_id).where(hold.c.kind == "teaching")
        assert set(connection.execute(held).scalars()) == {BERTA}
        assert set(connection.execute(select(labels.c.orthanc_study_id)).scalars()) == {BERTA}
        assert set(connection.execute(select(prune_mark.c.orthanc_study_id)).scalars()) == {ANNA}
        assert set(connection.execute(select(table("rule_event").c.orthanc_study_id)).scalars()) == {BERTA}
        sent = select(delivery_object.c.orthanc_study_id).where(delivery_object.c.state == "waiting")
        assert set(connection.execute(sent).scalars()) == {BERTA}


def test_only_links_to_a_shared_uid_are_long(client: FlaskClient) -> None:
    for path in ("", "studies", "deliveries", "retention/holds", "retention/marked", "retention/ledger", "rules/1"):
        page = client.get(f"/treegarth/{path}").text
        for one in (ANNA, BERTA):
            assert f"orthanc_study_id={one}" in page, path
    assert "orthanc_study_id=study-00003" not in client.get("/treegarth/studies").text
    panel = client.get(f"/treegarth/studies?open={UID}&orthanc_study_id={BERTA}").text
    assert f'data-panel-of="{BERTA}"' in panel
    assert "/ohif/" not in panel
    assert "/ohif/" not in client.get(f"/treegarth/studies/{UID}?orthanc_study_id={ANNA}").text
    alone = client.get("/treegarth/studies/1.2.840.99999.1.3").text
    assert "/ohif/viewer" in alone
    assert "orthanc_study_id=" not in alone
