"""A device that writes Korean under a Latin label: what would change is shown; on it changes, removed it is back.

Index, dose and what arrives later follow; another device does not.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

import requests
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from tests.dose_builder import as_file, ct_dose_report
from tests.orthanc.conftest import ServerFactory
from tests.servers import OrthancServer

NAME, DESCRIPTION = "홍^길동", "흉부 조영"
RULE = {
    "name": "CT 3 writes EUC-KR",
    "manufacturer_model_name": "korean *",
    "labelled": "ISO_IR 100",
    "really": "ISO 2022 IR 149",
}


def as_latin(text: str) -> str:
    """What EUC-KR says to whoever believes the label ISO_IR 100."""
    return text.encode("euc_kr").decode("latin_1")


def image(number: int, *, model: str = "Korean CT 3") -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.2.840.99999.7.3.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (f"1.2.840.99999.7.{level}.{number}" for level in (1, 2))
    dataset.SpecificCharacterSet, dataset.Modality, dataset.PatientID = "ISO_IR 100", "CT", f"P{number}"
    dataset.Manufacturer, dataset.ManufacturerModelName = "MAKER", model
    dataset.PatientName, dataset.StudyDescription = as_latin(NAME), as_latin(DESCRIPTION)
    return as_file(dataset)


def send(server: OrthancServer, data: bytes) -> None:
    requests.post(f"{server.url}/instances", data=data, timeout=120).raise_for_status()


def ask(server: OrthancServer, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{server.api}/{path}", json=body, timeout=120)
    answer.raise_for_status()
    return answer.json()


def texts(server: OrthancServer) -> dict[str, tuple[str, str]]:
    return {
        one["patient_id"]: (one["patient_name"], one["study_description"]) for one in server.get("studies")["items"]
    }


def wait_for(found: Any, expected: Any, timeout_s: float = 180) -> None:
    end = monotonic() + timeout_s
    while (seen := found()) != expected:
        assert monotonic() < end, seen
        sleep(0.2)


def test_a_device_is_read_in_the_set_that_it_really_writes(new_server: ServerFactory) -> None:
    server = new_server(settings={"ReconcileSeconds": 2}).start()
    wrong, right = (as_latin(NAME), as_latin(DESCRIPTION)), (NAME, DESCRIPTION)
    report = ct_dose_report()
    report.SpecificCharacterSet, report.ManufacturerModelName = "ISO_IR 100", "KOREAN CT 3"
    report.PatientID, report.PatientName, report.StudyDescription = "P5", as_latin(NAME), as_latin(DESCRIPTION)
    report.InstitutionName = as_latin("서울병원")
    send(server, as_file(report))
    send(server, image(1))
    send(server, image(2, model="Other CT"))
    server.wait_until_idle()

    def institution() -> Any:
        return [one["institution_name"] for one in server.get("dose/studies")["items"]]

    assert texts(server) == {"P1": wrong, "P2": wrong, "P5": wrong}
    wait_for(institution, [as_latin("서울병원")])

    number = ask(server, "POST", "character-sets", {"document": RULE})["id"]
    shown = ask(server, "GET", f"character-sets/{number}/preview")
    assert (shown["series_count"], shown["opened_count"], shown["unread_count"]) == (2, 2, 0)
    assert {(one["text"], one["now"], one["then"]) for one in shown["changes"]} == {
        ("patient_name", wrong[0], NAME),
        ("study_description", wrong[1], DESCRIPTION),
        ("institution_name", as_latin("서울병원"), "서울병원"),
    }
    assert texts(server)["P1"] == wrong  # it is off

    ask(server, "PUT", f"character-sets/{number}/state", {"is_on": True})
    send(server, image(3))
    wait_for(lambda: texts(server), {"P1": right, "P2": wrong, "P3": right, "P5": right})
    wait_for(institution, ["서울병원"])
    assert {one["patient_id"] for one in server.get("studies", q="홍, 길동")["items"]} == {"P1", "P3", "P5"}
    page = requests.get(f"{server.base_url}/character-sets/{number}", timeout=120).text
    assert NAME in page
    assert wrong[0] in page

    ask(server, "DELETE", f"character-sets/{number}")
    wait_for(lambda: texts(server), dict.fromkeys(("P1", "P2", "P3", "P5"), wrong))
    wait_for(institution, [as_latin("서울병원")])
