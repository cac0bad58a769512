"""A site's own scripts share every kind of callback with Treegarth and with each other: all are called, a refusal of
any holds, and Orthanc makes of a callback that fails what it does without Treegarth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import sleep

import pytest
import requests

from tests.bad_objects import BadObject, ct_image, in_syntax, uid
from tests.deep_objects import deep_object
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_bad_input import post
from tests.orthanc.test_deep_objects import sent
from tests.servers import OrthancServer

# NAME is the script's own; what each kind refuses is told by the patient or the address.
SCRIPT = """
import json
import orthanc


def said(what):
    orthanc.LogWarning("CHAINED NAME " + what)


def patient(instance):
    return json.loads(instance.GetInstanceSimplifiedJson())["PatientID"]


def changed(change, level, orthanc_id):
    if change == orthanc.ChangeType.NEW_INSTANCE:
        said("changed " + orthanc_id)
        FAILS_IN_PASSING


def stored(instance, orthanc_id):
    said("stored " + orthanc_id)
    FAILS_IN_PASSING


def admitted(instance):
    said("admits " + patient(instance))
    if patient(instance) == "FAILS NAME":
        raise ValueError("the filter of NAME is at fault")
    return 0xA900 if patient(instance) == "REFUSED NAME" else 0


def asked(uri, **request):
    if uri.startswith("/asked"):
        said("is asked " + uri)
    if uri == "/asked/fails-NAME":
        raise ValueError("the request filter of NAME is at fault")
    return uri != "/asked/refused-NAME"


def received(dicom, origin):
    said("received")
    if b"FAILS NAME" in dicom:
        raise ValueError("the receiver of NAME is at fault")
    if b"DISCARDED NAME" in dicom:
        return orthanc.ReceivedInstanceAction.DISCARD, None
    if b"Chest CT" in dicom or b"Chest A " in dicom:
        changed = dicom.replace(b"Chest CT", b"Chest A ").replace(b"Took", b"NAMENAMENAMENAME"[:4])
        return orthanc.ReceivedInstanceAction.MODIFY, changed
    return orthanc.ReceivedInstanceAction.KEEP_AS_IS, None


def page(output, uri, **request):
    output.AnswerBuffer("NAME " + uri + " " + repr(request["groups"]), "text/plain")


orthanc.RegisterOnChangeCallback(changed)
orthanc.RegisterOnStoredInstanceCallback(stored)
orthanc.RegisterIncomingCStoreInstanceFilter(admitted)
orthanc.RegisterIncomingHttpRequestFilter(asked)
RECEIVES
orthanc.RegisterRestCallback("/asked/(.*)", page)
orthanc.RegisterRestCallback("ROUTE", page)
"""
RECEIVES = "orthanc.RegisterReceivedInstanceCallback(received)"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def make_server(new_server: ServerFactory, tmp_path: Path) -> ServerFactory:
    def make(*, receives: bool = False, fails: Iterable[str] = ()) -> OrthancServer:
        paths = []
        for name, route in (("A", "/treegarth/of-a/(.*)"), ("B", "/treegarth/(.*)")):
            text = SCRIPT.replace("ROUTE", route).replace("RECEIVES", RECEIVES if receives else "")
            failing = f'raise ValueError("{name} is at fault")' if name in fails else "pass"
            paths.append(tmp_path / f"script_{name}.py")
            paths[-1].write_text(text.replace("FAILS_IN_PASSING", failing).replace("NAME", name), encoding="utf-8")
        return new_server(treegarth={"ChainedScripts": [str(path) for path in paths]}).start()

    return make


def said(server: OrthancServer) -> list[str]:
    return [line.split("CHAINED ")[1] for line in server.log_text().splitlines() if "CHAINED " in line]


def test_all_are_told_of_changes_and_stores_also_by_those_that_fail(make_server: ServerFactory) -> None:
    server = make_server(fails="A")
    assert post(server, [BadObject(name="", data=in_syntax(ct_image(1)))]) == {200: 1}
    server.wait_until_idle()
    (instance,) = server.orthanc("instances")
    sleep(0.5)
    assert sorted(said(server)) == [f"{name} {what} {instance}" for name in "AB" for what in ("changed", "stored")]
    assert server.log_text().count("ValueError: A is at fault") == 2
    server.log.write_text("", encoding="utf-8")


@pytest.mark.soak
def test_all_filters_of_c_store_are_asked_and_any_refuses(make_server: ServerFactory, tmp_path: Path) -> None:
    server = make_server()
    cases = {
        "GOOD": "Success",
        "REFUSED A": "Error: DataSetDoesNotMatchSOPClass",
        "REFUSED B": "Error: DataSetDoesNotMatchSOPClass",
        "FAILS A": "Refused: OutOfResources",  # as bare Orthanc answers for a filter that fails
        "FAILS B": "Refused: OutOfResources",
    }
    for number, (patient, answer) in enumerate(cases.items(), start=1):
        assert sent(server, in_syntax(ct_image(number, PatientID=patient)), tmp_path) == answer, patient
        assert said(server)[-2 - 4 * (patient == "GOOD") :][:2] == [f"A admits {patient}", f"B admits {patient}"]
    assert sent(server, deep_object(9, 60), tmp_path) == "Error: CannotUnderstand"
    assert said(server)[-2:] == ["A admits BAD00009", "B admits BAD00009"]
    server.wait_until_idle()
    assert [one["patient_id"] for one in server.get("studies")["items"]] == ["GOOD"]
    server.log.write_text("", encoding="utf-8")  # the errors of the filters that failed


@pytest.mark.soak
def test_all_filters_of_requests_are_asked_and_any_refuses(make_server: ServerFactory) -> None:
    server = make_server()
    statuses = {
        path: requests.get(f"{server.url}/asked/{path}", timeout=120).status_code
        for path in ("good", "refused-A", "refused-B", "fails-A", "fails-B")
    }
    assert statuses == {"good": 200, "refused-A": 403, "refused-B": 403, "fails-A": 500, "fails-B": 500}
    assert said(server) == [f"{name} is asked /asked/{path}" for path in statuses for name in "AB"]
    assert requests.get(f"{server.base_url}/studies", timeout=120).status_code == 200
    server.log.write_text("", encoding="utf-8")


@pytest.mark.soak
def test_an_object_goes_through_all_receivers_and_any_discards_it(make_server: ServerFactory) -> None:
    server = make_server(receives=True)
    for number, patient in enumerate(("GOOD", "DISCARDED A", "DISCARDED B", "FAILS A"), start=1):
        assert post(server, [BadObject(name="", data=in_syntax(ct_image(number, PatientID=patient)))]) == {200: 1}
    server.wait_until_idle()
    assert said(server).count("A received") == said(server).count("B received") == 4
    found = {one["patient_id"]: one for one in server.get("studies")["items"]}
    assert found.keys() == {"GOOD", "FAILS A"}
    assert found["GOOD"]["study_description"] == "Chest A"
    assert found["GOOD"]["patient_name"] == "AAAA^Peregrin"
    assert found["FAILS A"]["study_description"] == "Chest A"  # of B
    server.log.write_text("", encoding="utf-8")


@pytest.mark.soak
def test_routes_of_scripts_answer_beside_ours(make_server: ServerFactory) -> None:
    server = make_server()

    def text(path: str) -> str:
        return requests.get(server.url + path, timeout=120).text

    assert text("/treegarth/of-a/x") == "A /treegarth/of-a/x ('x',)"
    assert text("/treegarth/hospital") == "B /treegarth/hospital ('hospital',)"
    assert text("/asked/x") == "A /asked/x ('x',)"  # of two the first, as without Treegarth
    for path in ("/treegarth/", "/treegarth", "/treegarth/studies", "/treegarth/static/treegarth.css"):
        assert "B /treegarth" not in text(path), path
    assert requests.get(f"{server.base_url}/studies/{uid(1, 1)}", timeout=120).status_code == 404  # of ours, not theirs
    assert requests.get(f"{server.api}/health", timeout=120).json()["healthy"] is True
    assert requests.post(f"{server.api}/health", timeout=120).status_code == 405


def test_a_kind_that_treegarth_does_not_know_stays_orthancs(new_server: ServerFactory, tmp_path: Path) -> None:
    """Of these Orthanc takes one, and says so."""
    paths = [tmp_path / "one.py", tmp_path / "two.py"]
    for path in paths:
        path.write_text("import orthanc\northanc.RegisterFindCallback(lambda *given: None)\n", encoding="utf-8")
    server = new_server(treegarth={"ChainedScripts": [str(path) for path in paths]}).start(wait=False)
    assert server.process is not None
    # Orthanc 1.10.1 dies while it stops when a script fails that had registered for changes, also without Treegarth.
    assert server.process.wait(120) != 0
    assert f"Treegarth.ChainedScripts: {paths[1]} failed: RuntimeError" in server.log_text()


def test_a_chained_script_that_cannot_be_imported_refuses_the_start(new_server: ServerFactory, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import no_such_module_anywhere\n", encoding="utf-8")
    server = new_server(treegarth={"ChainedScripts": [str(path)]}).start(wait=False)
    assert server.process is not None
    assert server.process.wait(120) != 0
    expected = f"Treegarth refuses to start: Treegarth.ChainedScripts: {path} failed: ModuleNotFoundError"
    assert expected in server.log_text()
