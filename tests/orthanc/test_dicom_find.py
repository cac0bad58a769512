"""C-FIND and C-MOVE of other nodes: answers out of the index, Korean as it is, refusals, a database that is away."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)

from tests.archive_truth import execute
from tests.orthanc.conftest import Endings, ServerFactory
from tests.servers import OrthancServer, free_ports, hanging_database, store
from tests.studies import small_studies

STUDY_ROOT, PATIENT_ROOT = StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind
HONG = "Hong^Gildong=洪^吉洞=홍^길동"
UNABLE, SUCCESS, CANCELLED = 0xC000, 0x0000, 0xFE00


def write_study(files: list[Path], **attributes: str) -> None:
    for path in files:
        dataset = dcmread(path)
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, endings: Endings) -> Iterator[OrthancServer]:
    folder = tmp_path_factory.mktemp("find")
    (port,) = free_ports(1)
    nodes = {
        "asking": {"AET": "ASKING", "Host": "127.0.0.1", "Port": port},
        "storing": {"AET": "STORING", "Host": "127.0.0.1", "Port": port, "AllowFind": False, "AllowMove": False},
    }
    settings = {"DefaultEncoding": "Utf8", "DicomModalities": nodes}
    server = OrthancServer(folder / "server", settings=settings).start()
    files = small_studies(folder / "files", studies=3, series=2, instances=2)
    write_study(
        files[:4],
        SpecificCharacterSet="\\ISO 2022 IR 149",
        PatientName=HONG,
        PatientID="K-1",
        StudyDate="20260131",
        StudyTime="101530",
        StudyDescription="흉부 CT",
        AccessionNumber="A1",
    )
    write_study(files[4:8], PatientName="KIM^MINSU", PatientID="K-2", StudyDate="20260210", AccessionNumber="A2")
    write_study(files[8:], PatientName="Hongkong^Jane", PatientID="E_3", StudyDate="20250101", AccessionNumber="B3")
    store(server, folder / "files")
    server.wait_until_idle()
    yield server
    endings.end(server)


def find(
    server: OrthancServer, level: str, *, calling: str = "ASKING", model: Any = STUDY_ROOT, **keys: str
) -> tuple[int, list[Dataset]]:
    """The last status, and the answers."""
    question = Dataset()
    question.SpecificCharacterSet = "ISO_IR 192"
    question.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        tag = tag_for_keyword(keyword) or 0
        question.add(DataElement(tag, dictionary_VR(tag), value or None, validation_mode=IGNORE))
    node = AE(ae_title=calling)
    node.add_requested_context(model)
    node.dimse_timeout = 60
    association = node.associate("127.0.0.1", server.dicom_port, ae_title="TREEGARTH")
    assert association.is_established
    responses = list(association.send_c_find(question, model))
    association.release()
    status = getattr(responses[-1][0], "Status", -1) if responses else -1
    return int(status), [answer for _, answer in responses if answer is not None]


def accessions(server: OrthancServer, **keys: str) -> list[str]:
    status, answers = find(server, "STUDY", AccessionNumber=keys.pop("AccessionNumber", ""), **keys)
    assert status == SUCCESS
    return [one.AccessionNumber for one in answers]


def test_a_korean_study_is_found_and_told_as_it_is(server: OrthancServer) -> None:
    keys = dict.fromkeys(("StudyDescription", "StudyDate", "ModalitiesInStudy", "NumberOfStudyRelatedInstances"), "")
    status, (found,) = find(server, "STUDY", PatientName="홍^길*", **keys)
    assert (status, found.SpecificCharacterSet) == (SUCCESS, "ISO_IR 192")
    assert (str(found.PatientName), found.StudyDescription) == (HONG, "흉부 CT")
    assert (found.StudyDate, found.ModalitiesInStudy, found.NumberOfStudyRelatedInstances) == ("20260131", "CT", 4)
    assert found.RetrieveAETitle == "TREEGARTH"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["A2", "A1", "B3"]),  # the newest first
        ({"PatientName": "hong*"}, ["A1", "B3"]),
        ({"PatientName": "HONG^GILDONG"}, ["A1"]),
        ({"PatientName": "洪^吉洞"}, ["A1"]),
        ({"PatientName": "Hong"}, []),
        ({"PatientName": "k?m^*"}, ["A2"]),
        ({"PatientID": "K-?"}, ["A2", "A1"]),
        ({"PatientID": "E_3"}, ["B3"]),
        ({"PatientID": "E?3"}, ["B3"]),
        ({"PatientID": "K_1"}, []),  # an underscore is no wildcard
        ({"StudyDate": "20260101-20260131"}, ["A1"]),
        ({"StudyDate": "-20251231"}, ["B3"]),
        ({"StudyDate": "20260201-"}, ["A2"]),
        ({"StudyDate": "20260131", "StudyTime": "10"}, ["A1"]),
        ({"StudyDate": "20260131", "StudyTime": "11-12"}, []),
        ({"ModalitiesInStudy": "CT\\MR"}, ["A2", "A1", "B3"]),
        ({"ModalitiesInStudy": "C*"}, ["A2", "A1", "B3"]),
        ({"ModalitiesInStudy": "MR"}, []),
        ({"AccessionNumber": "A*"}, ["A2", "A1"]),
        ({"PatientComments": "nobody knows this"}, ["A2", "A1", "B3"]),
    ],
    ids=str,
)
def test_studies_are_found_by_keys_wildcards_and_ranges(
    server: OrthancServer, keys: dict[str, str], expected: list[str]
) -> None:
    assert accessions(server, **keys) == expected


def test_studies_are_found_by_lists_of_their_uids(server: OrthancServer) -> None:
    _, answers = find(server, "STUDY")
    uids = [one.StudyInstanceUID for one in answers]
    _, found = find(server, "STUDY", StudyInstanceUID="\\".join([*uids[:2], "1.2.3"]))
    assert [one.StudyInstanceUID for one in found] == uids[:2]


def test_each_level_is_answered(server: OrthancServer) -> None:
    _, patients = find(server, "PATIENT", model=PATIENT_ROOT, PatientName="Hong*", PatientID="")
    assert {one.PatientID for one in patients} == {"K-1", "E_3"}
    _, (study,) = find(server, "STUDY", model=PATIENT_ROOT, PatientID="K-1", StudyInstanceUID="")
    _, series = find(server, "SERIES", StudyInstanceUID=study.StudyInstanceUID, Modality="CT", SeriesNumber="")
    assert len(series) == 2
    assert all(one.StudyInstanceUID == study.StudyInstanceUID for one in series)
    parents = {"StudyInstanceUID": study.StudyInstanceUID, "SeriesInstanceUID": series[0].SeriesInstanceUID}
    _, objects = find(server, "IMAGE", **parents, SOPInstanceUID="", InstanceNumber="", Rows="", PatientName="")
    assert len({one.SOPInstanceUID for one in objects}) == 2
    assert {str(one.PatientName) for one in objects} == {HONG}


def test_a_question_that_cannot_be_understood_fails(server: OrthancServer) -> None:
    assert find(server, "STUDY", StudyDate="20261399")[0] == UNABLE
    assert "A date is none" in server.log_text()
    _forget_failures(server)


def test_a_node_that_may_not_ask_is_refused_and_named_in_the_log(server: OrthancServer) -> None:
    for calling in ("STORING", "STRANGER"):
        status, answers = find(server, "STUDY", calling=calling)
        assert (status, answers) == (-1, [])  # Orthanc ends the association
        assert f'Rejected Find request from remote DICOM modality with AET "{calling}"' in server.log_text()


def test_dcmtk_reads_the_answers(server: OrthancServer) -> None:
    asked = ("-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=HONG^*", "-k", "StudyInstanceUID")
    command = ["findscu", "-S", *asked, "-aet", "ASKING", "127.0.0.1", str(server.dicom_port)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert HONG.encode() in done.stderr + done.stdout


def test_what_is_found_can_be_retrieved(server: OrthancServer, tmp_path: Path) -> None:
    _, (study,) = find(server, "STUDY", PatientID="K-1")
    port = server.settings["DicomModalities"]["asking"]["Port"]
    asked = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study.StudyInstanceUID}")
    nodes = ("-aet", "ASKING", "-aem", "ASKING", "-aec", "TREEGARTH", "--port", str(port), "-od", str(tmp_path))
    command = ["movescu", "-S", *nodes, *asked, "127.0.0.1", str(server.dicom_port)]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    assert len(list(tmp_path.iterdir())) == 4


def test_an_object_that_orthanc_has_no_more_is_not_answered_although_the_index_has_it(server: OrthancServer) -> None:
    """Whoever asks whether we have an object may delete its own for the answer."""
    execute(
        server,
        "INSERT INTO instance (orthanc_instance_id, orthanc_series_id, sop_instance_uid, size_bytes, received_at)"
        " SELECT 'gone', orthanc_series_id, '1.2.3.4', 5, now() FROM instance ORDER BY 1 LIMIT 1",
    )
    try:
        assert find(server, "IMAGE", SOPInstanceUID="1.2.3.4") == (SUCCESS, [])
    finally:
        execute(server, "DELETE FROM instance WHERE orthanc_instance_id = 'gone'")


def test_what_was_pruned_is_not_answered(server: OrthancServer) -> None:
    execute(server, "UPDATE study SET instance_count = 0 WHERE patient_id = 'E_3'")
    try:
        assert accessions(server) == ["A2", "A1"]
    finally:
        execute(server, "UPDATE study SET instance_count = 4 WHERE patient_id = 'E_3'")


def test_while_the_database_hangs_a_question_fails_and_storing_goes_on(server: OrthancServer, tmp_path: Path) -> None:
    """A node that was told of nothing would believe that there is nothing."""
    (more,) = small_studies(tmp_path / "more", studies=1, series=1, instances=1, seed=7)
    with hanging_database(server):
        store(server, more, timeout_s=60)
        status, answers = find(server, "STUDY")
        assert (status, answers) == (UNABLE, [])
    server.wait_until_idle()
    assert len(accessions(server)) == 4
    _forget_failures(server)


def test_where_orthanc_is_set_to_korean_the_answers_are_in_it(new_server: ServerFactory, tmp_path: Path) -> None:
    nodes = {"asking": ["ASKING", "127.0.0.1", 104]}
    server = new_server(settings={"DefaultEncoding": "Korean", "DicomModalities": nodes}).start()
    files = small_studies(tmp_path / "files", studies=1, series=1, instances=1)
    write_study(files, SpecificCharacterSet="ISO_IR 192", PatientName=HONG)
    store(server, *files)
    server.wait_until_idle()
    _, (found,) = find(server, "STUDY", PatientName="홍*")
    assert (list(found.SpecificCharacterSet), str(found.PatientName)) == (["", "ISO 2022 IR 149"], HONG)


def _forget_failures(server: OrthancServer) -> None:
    """Orthanc and its plugin say as errors that a question failed."""
    said = ("C-FIND request handler has failed", "Error in the Python C-FIND SCP callback")
    kept = [line for line in server.log_text().splitlines() if not any(one in line for one in said)]
    server.log.write_text("\n".join(kept) + "\n")
