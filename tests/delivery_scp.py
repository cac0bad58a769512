"""A DICOM node with seeded bad manners, in a process of its own: what a destination can do to a delivery.

It refuses associations, aborts, stalls, answers out-of-resources, and loses some of what it accepted; C-FIND, C-GET and
storage commitment answer truthfully. Each C-STORE is one line of its log, so that a test can count repeats; the log is
also its memory: killed and started again, it still has what it kept.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

from tests.servers import ROOT, free_ports

OUT_OF_RESOURCES, DUPLICATE, SUCCESS, PENDING = 0xA700, 0x0111, 0x0000, 0xFF00


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How the node behaves: each figure the part of associations or objects that meet it."""

    refuses: float = 0.0  # associations
    aborts: float = 0.0  # objects: the association ends instead of an answer, the object is not kept
    stalls: float = 0.0  # objects: no answer for `stall_s`
    stall_s: float = 30.0
    out_of_resources: float = 0.0  # objects
    loses: float = 0.0  # objects: accepted, and not there
    has_already: bool = False  # answers every object with 0111, duplicate SOP instance (PS3.7 C), and lists it
    takes_no_ct: bool = False  # accepts no presentation context of what the tests send
    delay_s: float = 0.0  # before each answer
    refused_uids: tuple[str, ...] = ()  # always out of resources
    answers_find: bool = True
    answers_get: bool = False  # keeps the objects themselves, to give them back
    answers_commitment: bool = False
    commit_to: tuple[str, int, str] = ("127.0.0.1", 0, "TREEGARTH")  # where reports of commitment go


@dataclass
class DeliveryScp:
    """The node as a test holds it: start, kill, start again, read its log."""

    folder: Path
    manners: Manners = field(default_factory=Manners)
    seed: int = 1
    aet: str = "NODE"

    def __post_init__(self) -> None:
        (self.port,) = free_ports(1)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "stored.jsonl"
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self, manners: Manners | None = None) -> DeliveryScp:
        self.manners = manners or self.manners
        given = {"port": self.port, "aet": self.aet, "seed": self.seed, "log": str(self.log), **asdict(self.manners)}
        output = (self.folder / "node.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.delivery_scp", json.dumps(given)],
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=ROOT,
        )
        output.close()
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n", (self.folder / "node.log").read_text()
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def __enter__(self) -> DeliveryScp:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def listed(self, study_instance_uid: str, series_instance_uid: str) -> set[str]:
        """The SOP Instance UIDs of a series that it names by C-FIND."""
        from pydicom.dataset import Dataset
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Model

        asked = Dataset()
        asked.QueryRetrieveLevel = "IMAGE"
        asked.StudyInstanceUID, asked.SeriesInstanceUID = study_instance_uid, series_instance_uid
        asked.SOPInstanceUID = ""
        with self._associated((Model, None)) as association:
            answers = [answer for _, answer in association.send_c_find(asked, Model)]
        return {str(answer.SOPInstanceUID) for answer in answers if answer is not None}

    def retrieve(self, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str) -> Any:
        """An object as it gives it back by C-GET, a pydicom data set."""
        from pydicom.dataset import Dataset
        from pynetdicom import evt
        from pynetdicom.sop_class import CTImageStorage
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Model

        asked = Dataset()
        asked.QueryRetrieveLevel = "IMAGE"
        asked.StudyInstanceUID, asked.SeriesInstanceUID = study_instance_uid, series_instance_uid
        asked.SOPInstanceUID = sop_instance_uid
        found = list[Any]()

        def take(event: Any) -> int:
            found.append(event.dataset)
            return SUCCESS

        with self._associated((Model, None), (CTImageStorage, [(evt.EVT_C_STORE, take)])) as association:
            ended = [status.Status for status, _ in association.send_c_get(asked, Model)][-1]
        assert (ended, len(found)) == (SUCCESS, 1), (sop_instance_uid, ended, len(found))
        return found[0]

    @contextmanager
    def _associated(self, *wanted: tuple[Any, Any]) -> Iterator[Any]:
        """An association for these models; one with handlers is of a storage class that we take."""
        from pynetdicom import AE, build_role

        entity, roles, handlers = AE(), [], []
        for model, given in wanted:
            entity.add_requested_context(model)
            if given is not None:
                roles.append(build_role(model, scp_role=True))
                handlers += given
        association = entity.associate("127.0.0.1", self.port, ae_title=self.aet, ext_neg=roles, evt_handlers=handlers)
        assert association.is_established, "the node takes no association"
        try:
            yield association
        finally:
            association.release()

    def stores(self) -> list[dict[str, Any]]:
        """Every C-STORE that it got, in order."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="ascii").splitlines()]

    def kept(self) -> set[str]:
        """The SOP Instance UIDs that it has."""
        return {one["sop_instance_uid"] for one in self.stores() if one["kept"]}

    def received(self) -> Counter[str]:
        """How often each SOP Instance UID came."""
        return Counter(one["sop_instance_uid"] for one in self.stores())

    def wait_for(self, count: int, timeout_s: float = 180) -> None:
        deadline = monotonic() + timeout_s
        while len(self.kept()) < count:
            assert monotonic() < deadline, f"{len(self.kept())} of {count} objects after {timeout_s} s"
            sleep(0.1)


class _Node:
    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.random = random.Random(given["seed"])
        self.lock = threading.Lock()
        self.kept: dict[str, dict[str, Any]] = {}
        path = Path(given["log"])
        if path.exists():
            for line in path.read_text(encoding="ascii").splitlines():
                self._remember(json.loads(line))
        self.log = path.open("a", encoding="ascii")

    def serve(self) -> None:
        from pynetdicom import AE, DEFAULT_TRANSFER_SYNTAXES, evt
        from pynetdicom.sop_class import (
            CTImageStorage,
            MRImageStorage,
            StorageCommitmentPushModel,
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelGet,
        )

        ae = AE(ae_title=self.given["aet"])
        ae.add_supported_context("1.2.840.10008.1.1")
        # Of what the tests send, no more: to agree on every storage class takes pynetdicom 0.1 s of CPU an association.
        roles = {"scu_role": True, "scp_role": True} if self.given["answers_get"] else {}
        taken = MRImageStorage if self.given["takes_no_ct"] else CTImageStorage
        ae.add_supported_context(taken, DEFAULT_TRANSFER_SYNTAXES, **roles)
        if self.given["answers_get"]:
            ae.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
        if self.given["answers_find"]:
            ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        if self.given["answers_commitment"]:
            ae.add_supported_context(StorageCommitmentPushModel)
        ae.maximum_associations = 50
        handlers = [
            (evt.EVT_REQUESTED, self.on_request),
            (evt.EVT_C_STORE, self.on_store),
            (evt.EVT_C_FIND, self.on_find),
            (evt.EVT_C_GET, self.on_get),
            (evt.EVT_N_ACTION, self.on_action),
        ]
        ae.start_server(("127.0.0.1", self.given["port"]), block=False, evt_handlers=handlers)
        print("ready", flush=True)
        threading.Event().wait()

    def on_request(self, event: Any) -> None:
        if self._happens("refuses"):
            event.assoc.acse.send_reject(0x02, 0x03, 0x02)  # transient, presentation: local limit exceeded
            event.assoc.kill()

    def on_store(self, event: Any) -> int:
        dataset = event.dataset
        uid = str(event.request.AffectedSOPInstanceUID)
        sleep(self.given["delay_s"])
        if uid in self.given["refused_uids"] or self._happens("out_of_resources"):
            return self._note(dataset, kept=False, status=OUT_OF_RESOURCES)
        if self._happens("aborts"):
            self._note(dataset, kept=False, status=-1)
            event.assoc.abort()
            return OUT_OF_RESOURCES
        if self._happens("stalls"):
            sleep(self.given["stall_s"])
            return self._note(dataset, kept=False, status=-2)
        if self.given["has_already"]:
            return self._note(dataset, kept=True, status=DUPLICATE)
        if self.given["answers_get"]:
            self._object_of(uid).write_bytes(event.encoded_dataset())
        return self._note(dataset, kept=not self._happens("loses"), status=SUCCESS)

    def on_find(self, event: Any) -> Iterator[tuple[int, Any]]:
        from pydicom.dataset import Dataset

        wanted = event.identifier
        with self.lock:
            rows = list(self.kept.values())
        for row in rows:
            if row["series_instance_uid"] == wanted.get("SeriesInstanceUID"):
                answer = Dataset()
                answer.QueryRetrieveLevel = "IMAGE"
                answer.StudyInstanceUID = row["study_instance_uid"]
                answer.SeriesInstanceUID = row["series_instance_uid"]
                answer.SOPInstanceUID = row["sop_instance_uid"]
                yield PENDING, answer

    def on_get(self, event: Any) -> Iterator[Any]:
        """One object, by its UID."""
        from pydicom import dcmread

        uid = str(event.identifier.SOPInstanceUID)
        with self.lock:
            there = [uid] if uid in self.kept else []
        yield len(there)
        for one in there:
            yield PENDING, dcmread(self._object_of(one))

    def _object_of(self, uid: str) -> Path:
        return Path(self.given["log"]).parent / f"{uid}.dcm"

    def on_action(self, event: Any) -> tuple[int, None]:
        threading.Thread(target=self._report, args=(event.action_information,), daemon=True).start()
        return SUCCESS, None

    def _report(self, asked: Any) -> None:
        """The N-EVENT-REPORT of a storage commitment (PS3.4 J.3.3), over an association of our own."""
        from pydicom.dataset import Dataset
        from pynetdicom import AE, build_role
        from pynetdicom.sop_class import StorageCommitmentPushModel

        sleep(0.2)
        host, port, aet = self.given["commit_to"]
        with self.lock:
            kept = set(self.kept)
        report = Dataset()
        report.TransactionUID = asked.TransactionUID
        there = [one for one in asked.ReferencedSOPSequence if str(one.ReferencedSOPInstanceUID) in kept]
        missing = [one for one in asked.ReferencedSOPSequence if str(one.ReferencedSOPInstanceUID) not in kept]
        report.ReferencedSOPSequence = there
        if missing:
            for one in missing:
                one.FailureReason = 0x0112  # no such object instance
            report.FailedSOPSequence = missing
        ae = AE(ae_title=self.given["aet"])
        ae.add_requested_context(StorageCommitmentPushModel)
        association = ae.associate(
            host, port, ae_title=aet, ext_neg=[build_role(StorageCommitmentPushModel, scp_role=True)]
        )
        if association.is_established:
            well_known = "1.2.840.10008.1.20.1.1"
            association.send_n_event_report(report, 2 if missing else 1, StorageCommitmentPushModel, well_known)
            association.release()

    def _happens(self, what: str) -> bool:
        with self.lock:
            return self.random.random() < self.given[what]

    def _note(self, dataset: Any, *, kept: bool, status: int) -> int:
        row = {
            "sop_instance_uid": str(dataset.SOPInstanceUID),
            "series_instance_uid": str(dataset.SeriesInstanceUID),
            "study_instance_uid": str(dataset.StudyInstanceUID),
            "kept": kept,
            "status": status,
            "at": time(),
        }
        with self.lock:
            self._remember(row)
            self.log.write(json.dumps(row) + "\n")
            self.log.flush()
        return max(status, 0)

    def _remember(self, row: dict[str, Any]) -> None:
        if row["kept"]:
            self.kept[row["sop_instance_uid"]] = row


if __name__ == "__main__":
    _Node(json.loads(sys.argv[1])).serve()
