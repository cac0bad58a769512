"""Whatever is stored, overwritten, modified and deleted, in any order and with crashes between: the index says what the
files say, for every column and header, and nothing that was removed from them is found any more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pydicom
import pytest
import requests
from pydicom.dataset import Dataset

from tests.archive_truth import Truth, differences, execute, table, truth_of
from tests.bad_objects import ct_image, in_syntax
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.orthanc.conftest import ServerFactory, rounds
from tests.servers import OrthancServer, store
from tests.studies import small_studies

TEXTS = (
    *("PatientName", "StudyDescription", "AccessionNumber", "StudyID", "ReferringPhysicianName", "InstitutionName"),
    *(
        "SeriesDescription",
        "ProtocolName",
        "StationName",
        "Manufacturer",
        "ManufacturerModelName",
        "DeviceSerialNumber",
    ),
    *("BodyPartExamined", "ImageComments", "RequestedProcedureDescription"),
)
CODES = {
    "PatientSex": ("F", "M", "O"),
    "Modality": ("CT", "MR", "OT", "PT"),
    "PatientBirthDate": ("19700101", "19820228", "20010615"),
    "StudyDate": ("20260101", "20260102", "20260103"),
    "StudyTime": ("080000", "091530.25", "235959"),
    "SeriesDate": ("20260101", "20260102"),
    "SeriesTime": ("081000", "092000"),
    "AcquisitionDate": ("20260101", "20260102"),
    "SeriesNumber": ("1", "2", "300"),
    "InstanceNumber": ("1", "2", "3"),
    "NumberOfFrames": ("1", "10"),
    "ImageType": ("ORIGINAL\\PRIMARY\\AXIAL", "DERIVED\\SECONDARY"),
}
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


class Archive:
    """What happens to an archive, by chance: each step is one that a site may take."""

    def __init__(self, server: OrthancServer, seed: int, folder: Path, *, fat: bool = False) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.seed = seed
        self.folder = folder
        self.fat = fat
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.words: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def step(self) -> None:
        steps: list[tuple[int, Callable[[], None]]] = [
            (6, self.store_new),
            (2, self.store_equal),
            (5, self.overwrite),
            (4, self.modify),
            (2, self.delete),
        ]
        weights, kinds = zip(*steps, strict=True)
        self.chance.choices(kinds, weights)[0]()

    def store_new(self) -> None:
        patient, study, series, number = (self.chance.randint(1, most) for most in (2, 2, 3, 3))
        place = f"1.2.826.0.1.3680043.10.99.{self.seed}.{patient}.{study}"
        if series == 3:
            event = ct_acquisition(f"{place}.{number}.7")
            made = ct_dose_report(event, sop_instance_uid=f"{place}.9.{number}", study_instance_uid=place)
        else:
            made = ct_image(number)
            made.StudyInstanceUID, made.SeriesInstanceUID = place, f"{place}.{series}"
            made.SOPInstanceUID = f"{place}.{series}.{number}"
        made.PatientID = f"PAT{self.seed}-{patient}"
        made.SpecificCharacterSet = "ISO_IR 192"
        if self.fat:
            made.add_new(0x00091001, "UT", "x" * 300_000)
        for keyword in self.chance.sample(sorted({*TEXTS, *CODES} - {"Modality"}), 16):
            self._set(made, keyword)
        self._send(made)
        self.done["stored"] += 1

    def store_equal(self) -> None:
        if found := self._any("instances"):
            self._post(self._file(found))
            self.done["stored equal"] += 1

    def overwrite(self) -> None:
        """Another object with the same identifiers: values are changed, emptied and removed."""
        if found := self._any("instances"):
            dataset = pydicom.dcmread(BytesIO(self._file(found)))
            for keyword in self.chance.sample(sorted({*TEXTS, *CODES}), self.chance.randint(1, 6)):
                self._change(dataset, keyword)
            self._send(dataset)
            self.done["overwritten"] += 1

    def modify(self) -> None:
        """As Orthanc does it, with the identifiers kept: each object is overwritten."""
        level = self.chance.choice(("studies", "studies", "patients", "instances"))
        if not (found := self._any(level)):
            return
        words = self.chance.sample(sorted({*TEXTS, *CODES} - {"Modality", "ImageType", "NumberOfFrames"}), 4)
        body: dict[str, Any] = {
            "Remove": words[:2],
            "Replace": {word: self._value(word) for word in words[2:]},
            "Keep": list(UIDS),
            "Force": True,
        }
        if level == "patients":
            same = self.server.orthanc(f"patients/{found}")["MainDicomTags"]["PatientID"]
            body["Replace"]["PatientID"] = same if self.chance.random() < 0.7 else f"{same}x"
            body["KeepSource"] = False
        if level == "instances":
            answer = requests.post(f"{self.server.url}/instances/{found}/modify", json=body, timeout=120)
            if answer.ok:
                self._post(answer.content)
        else:
            answer = requests.post(f"{self.server.url}/{level}/{found}/modify", json=body, timeout=120)
        self.done[f"modified {level}"] += answer.ok
        self.refused[f"modified {level}"] += not answer.ok

    def delete(self) -> None:
        level = self.chance.choice(("instances", "instances", "series", "studies"))
        if found := self._any(level):
            requests.delete(f"{self.server.url}/{level}/{found}", timeout=120).raise_for_status()
            self.done[f"deleted {level}"] += 1

    def clear(self) -> None:
        for patient in self.server.orthanc("patients"):
            requests.delete(f"{self.server.url}/patients/{patient}", timeout=120).raise_for_status()

    def _any(self, level: str) -> str | None:
        found = sorted(self.server.orthanc(level))
        return self.chance.choice(found) if found else None

    def _file(self, instance: str) -> bytes:
        return requests.get(f"{self.server.url}/instances/{instance}/file", timeout=120).content

    def _send(self, dataset: Dataset) -> None:
        data = as_file(dataset) if "ContentSequence" in dataset else in_syntax(dataset)
        if self.chance.random() < 0.8:
            self._post(data)
        else:
            path = self.folder / "object.dcm"
            path.write_bytes(data)
            store(self.server, path, calling=self.chance.choice(("CT1", "CT2")))

    def _post(self, data: bytes) -> None:
        requests.post(f"{self.server.url}/instances", data=data, timeout=120).raise_for_status()

    def _set(self, dataset: Dataset, keyword: str) -> None:
        setattr(dataset, keyword, self._value(keyword))

    def _change(self, dataset: Dataset, keyword: str) -> None:
        way = self.chance.choice(("set", "empty", "remove"))
        if way == "remove" and keyword in dataset:
            delattr(dataset, keyword)
        elif way == "empty" and keyword in dataset:
            setattr(dataset, keyword, None)
        else:
            self._set(dataset, keyword)

    def _value(self, keyword: str) -> str:
        if keyword in CODES:
            return self.chance.choice(CODES[keyword])
        word = f"W{self.seed}Q{len(self.words)}Z"
        self.words.add(word)
        return f"{word}^홍" if keyword == "PatientName" else word


def assert_index_says_what_files_say(archive: Archive, timeout_s: float = 180) -> None:
    """Every column and header; no word that left the files is in any table, page, answer or search."""
    server = archive.server
    deadline, truth, found = monotonic() + timeout_s, None, ["nothing was looked at"]
    while found and monotonic() < deadline:
        server.wait_until_idle(timeout_s)
        truth = truth or truth_of(server)
        found = differences(server, truth)
        sleep(0.2 if found else 0)
    assert truth is not None
    assert found == [], (archive.seed, archive.done, found[:20], server.log_text()[-2000:])
    server.wait_until_idle(
        timeout_s
    )  # it may have been idle because nothing was found yet: dose is read behind the index
    assert_dose_says_what_reports_say(server, truth)
    assert_removed_words_are_nowhere(archive, truth)


def assert_dose_says_what_reports_say(server: OrthancServer, truth: Truth) -> None:
    reports = {row["orthanc_instance_id"]: row for row in table(server, "dose_report") if not row["source_deleted_at"]}
    sources = {key for key, one in truth.datasets.items() if "ContentSequence" in one}
    assert sources <= reports.keys()
    for key in sources:
        says = truth.datasets[key]
        for name, keyword in (
            ("patient_name", "PatientName"),
            ("study_description", "StudyDescription"),
            ("accession_number", "AccessionNumber"),
            ("station_name", "StationName"),
        ):
            assert (reports[key][name] or "") == str(says.get(keyword) or ""), (key, name)
    of_study: dict[str, list[dict[str, Any]]] = {}
    for row in table(server, "dose_report"):
        of_study.setdefault(row["orthanc_study_id"], []).append(row)
    for row in table(server, "dose_study"):
        for name in ("patient_name", "study_description", "accession_number", "station_name"):
            assert row[name] in {one[name] for one in of_study[row["orthanc_study_id"]]}, (
                row["orthanc_study_id"],
                name,
            )


def assert_removed_words_are_nowhere(archive: Archive, truth: Truth) -> None:
    server = archive.server
    said = " ".join(str(one) for one in truth.datasets.values())
    gone = sorted(word for word in archive.words if word not in said)
    deleted = [str(row) for row in table(server, "dose_report") if row["source_deleted_at"]]  # their dose stays
    gone = [word for word in gone if not any(word in row for row in deleted)]
    for name in ("patient", "study", "series", "instance", "dose_report", "dose_study"):
        content = str(table(server, name))
        assert [word for word in gone if word in content] == [], name
    page = requests.get(f"{server.base_url}/studies", timeout=120).text
    pages = [page] + [
        requests.get(f"{server.base_url}/studies/{row['study_instance_uid']}", timeout=120).text
        for row in truth.tables["study"].values()
    ]
    assert [word for word in gone if any(word in page for page in pages)] == []
    for word in archive.chance.sample(gone, min(5, len(gone))):
        assert server.get("studies", q=word)["items"] == []
    for row in truth.tables["study"].values():
        if row["study_description"]:
            found = [one["orthanc_study_id"] for one in server.get("studies", q=row["study_description"])["items"]]
            assert row["orthanc_study_id"] in found


def children(server: OrthancServer, role: str) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(server.pid), "-f", f"treegarth.roles {role}"], capture_output=True, text=True, check=False
    )
    return [int(one) for one in found.stdout.split()]


def disturb(archive: Archive) -> None:
    """A restart, a crash of the server or of its indexer, at any moment."""
    server, way = archive.server, archive.chance.choice(("restart", "kill", "kill indexer"))
    if way == "restart":
        assert server.stop() == 0
        server.start()
    elif way == "kill":
        server.kill()
        server.start()
    else:
        for pid in children(server, "indexer"):
            os.kill(pid, signal.SIGKILL)
    archive.done[way] += 1


def test_generated_sequences_leave_the_index_as_the_files_are(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(settings={"OverwriteInstances": True}).start()
    chance, done, refused = random.Random(11), Counter[str](), Counter[str]()
    for seed in range(1, rounds(4, 200) + 1):
        archive = Archive(server, seed, tmp_path / f"sequence{seed}")
        disturbed = {chance.randrange(12)} if chance.random() < 0.4 else set()
        for number in range(12):
            archive.step()
            if number in disturbed:
                disturb(archive)
        assert_index_says_what_files_say(archive)
        done, refused = done + archive.done, refused + archive.refused
        archive.clear()
    print(done, refused)
    assert sum(refused.values()) * 5 <= sum(done.values())


@pytest.mark.soak
def test_sequences_whose_headers_did_not_fit_into_the_queue(new_server: ServerFactory, tmp_path: Path) -> None:
    """The indexer stands still while things happen, and only identifiers wait: it reads what Orthanc has by then."""
    server = new_server(settings={"OverwriteInstances": True}, treegarth={"QueueMegabytes": 1}).start()
    for seed in range(1001, 1001 + rounds(2, 30)):
        archive = Archive(server, seed, tmp_path / f"sequence{seed}", fat=True)
        for _ in range(2):
            stopped = children(server, "indexer")
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            for _ in range(8):
                archive.step()
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert_index_says_what_files_say(archive)
        archive.clear()
    assert server.get("status")["dropped_headers"] > 0


def test_what_orthanc_refuses_changes_nothing(server: OrthancServer, tmp_path: Path) -> None:
    """Without OverwriteInstances the first object stays, whatever a second one of its identifiers says, and when."""
    archive = Archive(server, 2001, tmp_path / "objects")
    for _ in range(8):
        archive.store_new()
    for pause_s in (0, 0, 3, 0):
        archive.overwrite()
        archive.store_equal()
        sleep(pause_s)
    assert_index_says_what_files_say(archive)


def test_what_was_overwritten_while_the_plugin_was_away_is_found(new_server: ServerFactory, tmp_path: Path) -> None:
    """By Orthanc's list of changes, and where that was cleared by the comparison of every instance."""
    overwriting = {"OverwriteInstances": True}
    server = new_server(settings=overwriting).start()
    archive = Archive(server, 3001, tmp_path / "objects")
    for _ in range(10):
        archive.store_new()
    assert_index_says_what_files_say(archive)
    for is_cleared in (False, True):
        assert server.stop() == 0
        archive.server = new_server(treegarth=None, settings=overwriting).start()  # the same archive without the plugin
        for _ in range(4):
            archive.overwrite()
        archive.modify()
        if is_cleared:
            requests.delete(f"{archive.server.url}/changes", timeout=120).raise_for_status()
            archive.store_new()  # a difference of the counts, which asks for a comparison
        assert archive.server.stop() == 0
        archive.server = server.start()
        assert_index_says_what_files_say(archive)


@pytest.mark.soak
def test_an_archive_of_an_earlier_version_is_mended_also_when_that_is_interrupted(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = new_server().start()
    small_studies(tmp_path / "ct", studies=40, series=3, instances=1)
    store(server, tmp_path / "ct")
    archive = Archive(server, 4001, tmp_path / "objects")
    for _ in range(6):
        archive.store_new()
    assert_index_says_what_files_say(archive)
    for statement in (
        "UPDATE series SET is_stale = true, study_attributes = NULL, series_description = 'left over',"
        ' header = \'{"00081030": {"vr": "LO", "Value": ["left over"]}}\'',
        "UPDATE study SET study_description = 'left over', patient_name = 'left over'",
        "UPDATE patient SET patient_name = 'left over', patient_sex = 'left over'",
        "UPDATE instance SET header_checksum = NULL, received_at = received_at + interval '300 milliseconds'",
    ):
        execute(server, statement)
    for _ in range(3):
        for pid in children(server, "indexer"):
            os.kill(pid, signal.SIGKILL)
        sleep(archive.chance.uniform(0.5, 3))
    assert_index_says_what_files_say(archive)

    def mending() -> dict[str, Any]:
        return next((one for one in table(server, "long_work") if one["kind"] == "archive.mending"), {})

    deadline = monotonic() + 150
    while mending().get("finished_at") is None and monotonic() < deadline:  # the end is noted after the last series
        sleep(0.2)
    assert mending()["finished_at"] is not None
    assert mending()["total"] > 100
