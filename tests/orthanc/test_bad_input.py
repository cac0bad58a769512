"""Broken, odd and hostile objects over DICOM and REST: refused by Orthanc or indexed, and nothing ever stops."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import psycopg
import pynetdicom
import pytest
import requests
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.bad_objects import CT_IMAGE, BadObject, ct_image, in_syntax, mutants, nasty_objects
from tests.databases import execute
from tests.dose_builder import X_RAY_RADIATION_DOSE_SR
from tests.orthanc.conftest import rounds
from tests.servers import OrthancServer
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.phrase_column import said
from treegarth.web.paths import escaped

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom complains of what is bad on purpose
SEED = int(os.environ.get("TREEGARTH_SEED", "20261121"))


def rows(server: OrthancServer, statement: str) -> list[tuple[Any, ...]]:
    """What the server's embedded database answers."""
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None
    with psycopg.connect(address.conninfo()) as connection:
        return connection.execute(statement.encode()).fetchall()


def post(server: OrthancServer, objects: Iterable[BadObject], threads: int = 6) -> Counter[int]:
    """Upload all by REST from several threads; how often which status came."""
    with requests.Session() as session, ThreadPoolExecutor(threads) as pool:
        # Bare Orthanc, too, needs up to half a minute for some: DCMTK makes room for whatever length an element names.
        answers = pool.map(lambda one: session.post(f"{server.url}/instances", data=one.data, timeout=300), objects)
        return Counter(answer.status_code for answer in answers)


def send(server: OrthancServer, objects: Sequence[BadObject], folder: Path) -> Counter[int]:
    """C-STORE all, their data sets byte by byte as they are; how often which status came (-1: none, hung up on)."""
    folder.mkdir()
    pynetdicom._config.STORE_SEND_CHUNKED_DATASET = True
    entity = pynetdicom.AE("MUTANTS")
    entity.dimse_timeout = 0.5  # Orthanc leaves a data set that it cannot take apart without an answer
    for sop_class in (CT_IMAGE, X_RAY_RADIATION_DOSE_SR):
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            entity.add_requested_context(sop_class, syntax)
    counted: Counter[int] = Counter()
    association = None
    for number, one in enumerate(objects):
        path = folder / f"{number}.dcm"
        path.write_bytes(one.data + b"\0" * (len(one.data) % 2))  # a fragment has an even length (PS3.8 E.2)
        if association is None or not association.is_established:
            association = entity.associate("127.0.0.1", server.dicom_port, ae_title="TREEGARTH")
            assert association.is_established, f"No association any more before {one.name}"
        counted[status := association.send_c_store(path).get("Status", -1)] += 1
        if status == -1:
            association.abort()
    if association is not None and association.is_established:
        association.release()
    return counted


def assert_index_is_archive_at_every_level(server: OrthancServer) -> None:
    """Orthanc's identifiers of every instance and of its parents are those of the index."""
    server.wait_until_idle()
    parents = {study["ID"]: study["ParentPatient"] for study in server.orthanc("studies", expand="")}
    archive = {
        (parents[series["ParentStudy"]], series["ParentStudy"], series["ID"], instance)
        for series in server.orthanc("series", expand="")
        for instance in series["Instances"]
    }
    index = rows(
        server,
        "SELECT orthanc_patient_id, orthanc_study_id, orthanc_series_id, orthanc_instance_id FROM instance"
        " JOIN series USING (orthanc_series_id) JOIN study USING (orthanc_study_id)",
    )
    assert set(index) == archive
    counts = rows(server, "SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM study), count(*) FROM series")
    assert counts == [(len(set(parents.values())), len(parents), len({series for _, _, series, _ in archive}))]


def assert_every_dose_report_is_settled(server: OrthancServer, timeout_s: float = 180) -> dict[str, int]:
    """None waits any more, and those that were not read say why; how many are in which state."""
    deadline, states = monotonic() + timeout_s, {"unread": -1}
    while "unread" in states and monotonic() < deadline:
        states = {state: int(number) for state, number in rows(server, _STATES)}
        sleep(0.2)
    assert "unread" not in states, rows(server, "SELECT * FROM dose_report WHERE state = 'unread'")
    assert rows(server, _UNEXPLAINED) == []
    return states


_STATES = "SELECT state, count(*) FROM dose_report GROUP BY state"
_UNEXPLAINED = (
    "SELECT orthanc_instance_id FROM dose_report"
    " WHERE state = 'refused' AND refused IS NULL OR state = 'failed' AND last_error IS NULL"
)


def assert_still_well(server: OrthancServer) -> None:
    """A good object is stored and indexed, every page of studies is shown, and no error was logged."""
    good = BadObject(name="good", data=in_syntax(ct_image(99_999)))
    assert post(server, [good]) == {200: 1}
    assert_index_is_archive_at_every_level(server)
    for study in server.get("studies", limit=200)["items"]:
        path = f"studies/{quote(escaped(study['study_instance_uid']), safe='')}"
        assert server.get(path, orthanc_study_id=study["orthanc_study_id"])["series"]
    for page in ("", "studies", "dose", "system"):
        assert requests.get(f"{server.base_url}/{page}", timeout=120).status_code == 200, page
    assert "indexer ended" not in server.log_text()
    assert "Traceback" not in server.log_text()
    assert_treegarth_complained_of_nothing(server)


def assert_treegarth_complained_of_nothing(server: OrthancServer) -> None:
    """Orthanc itself logs an error of much that is bad; Treegarth has no reason to."""
    assert [line for line in server.error_lines() if "Treegarth" in line] == []
    server.log.write_text("", encoding="utf-8")


def test_every_nasty_object_is_refused_or_indexed(server: OrthancServer) -> None:
    answers = post(server, nasty_objects())
    assert set(answers) <= {200, 400, 404}
    assert answers[200] > 50
    assert_index_is_archive_at_every_level(server)
    states = assert_every_dose_report_is_settled(server)
    assert states.keys() <= {"read", "refused"}
    assert states["read"] >= 4
    assert_still_well(server)
    issues = {found["path"]: said(found["reason"]) for (found,) in rows(server, _ISSUES)}
    assert issues["(0020,0013) instance_number"] == "is not an integer string"
    assert issues["(0008,0020) study_date"] == "is not a date"
    assert issues["(0028,0010) rows"] == "has 4 bytes, not 2"


_ISSUES = "SELECT jsonb_array_elements(issues) FROM instance WHERE issues IS NOT NULL"


def test_nothing_of_a_patient_is_logged_of_bad_objects(server: OrthancServer) -> None:
    spoilt = BadObject(name="", data=in_syntax(ct_image(1, PatientName="Brandybuck^Meriadoc" * 9)))
    post(server, [*nasty_objects(), spoilt])
    server.wait_until_idle()
    ours = "".join(line for line in server.log_text().splitlines() if "Treegarth" in line)
    for name in ("Brandybuck", "Took", "BAD000"):
        assert name not in ours
    assert_treegarth_complained_of_nothing(server)


@pytest.mark.soak
def test_mutants_are_refused_or_indexed(server: OrthancServer, tmp_path: Path) -> None:
    """Half of them by REST, half over DICOM, at the same time."""
    number = rounds(240, 2400)
    objects = mutants(SEED, number)
    first = list(islice(objects, number // 2))
    second = [one for one in objects if not one.name.startswith("random")]  # an association needs meta information
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(send, server, second[part::4], tmp_path / f"{part}") for part in range(4)]
        by_rest = post(server, first)
        over_dicom = sum((answer.result() for answer in answers), Counter[int]())
    assert set(by_rest) <= {200, 400, 404}
    assert by_rest[200] > number // 10
    assert over_dicom[0] > number // 10
    assert_index_is_archive_at_every_level(server)
    assert_every_dose_report_is_settled(server)
    assert_still_well(server)


def test_a_duplicate_that_orthanc_refuses_does_not_change_the_index(server: OrthancServer) -> None:
    """Orthanc reports it as stored, with the bytes that it threw away."""
    post(server, [BadObject(name="first", data=in_syntax(ct_image(1, StudyDescription="Kept")))])
    server.wait_until_idle()
    sleep(3)  # Orthanc's time stamps are whole seconds
    for description in ("Thrown away", "As well"):
        post(server, [BadObject(name="again", data=in_syntax(ct_image(1, StudyDescription=description)))])
        server.wait_until_idle()
        assert server.get("studies")["items"][0]["study_description"] == "Kept"


@pytest.mark.soak
def test_a_quick_duplicate_does_not_change_the_index_either(server: OrthancServer) -> None:
    post(
        server,
        [BadObject(name=text, data=in_syntax(ct_image(1, StudyDescription=text))) for text in ("A", "B", "C", "D")],
        threads=1,
    )
    server.wait_until_idle()
    kept = server.orthanc("studies", expand="")[0]["MainDicomTags"]["StudyDescription"]
    assert server.get("studies")["items"][0]["study_description"] == kept == "A"


@pytest.mark.soak
def test_an_object_whose_file_is_lost_is_indexed_by_what_orthanc_knows(server: OrthancServer) -> None:
    """A hole in the storage must not keep the reconciler from all that lies behind it."""
    post(server, [BadObject(name="", data=in_syntax(ct_image(number))) for number in range(1, 6)])
    server.wait_until_idle()
    lost = server.orthanc("instances")[2]
    file_of(server, lost).unlink()
    assert server.stop() == 0  # Orthanc has the file in a cache
    server.start()
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None
    execute(address, "TRUNCATE treegarth.patient, treegarth.study, treegarth.series, treegarth.instance")
    assert_index_is_archive_at_every_level(server)
    assert rows(server, "SELECT orthanc_instance_id FROM instance WHERE issues IS NOT NULL") == [(lost,)]
    server.log.write_text("")  # that a file is lost is an error, and Orthanc logs it as one


def file_of(server: OrthancServer, orthanc_instance_id: str) -> Path:
    """Where Orthanc's storage keeps an instance."""
    sop_instance_uid = server.orthanc(f"instances/{orthanc_instance_id}")["MainDicomTags"]["SOPInstanceUID"].encode()
    files = [path for path in (server.folder / "storage").glob("??/??/*") if sop_instance_uid in path.read_bytes()]
    return next(path for path in files if b"DICM" in path.read_bytes()[:132])
