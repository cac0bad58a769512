"""Send by C-STORE, ask by C-FIND and storage commitment: Orthanc speaks DICOM, this reads how its jobs end.

The jobs are not "Permissive": Orthanc 1.10.1 ends a permissive job with success and no failed instances even where
nothing listened at the other end. A job that is not stops at the first object that fails, says why, and its progress
tells which it was; the objects after it go with another job.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from time import monotonic
from typing import Any, Self, cast

from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable, PlaceRefused, TreegarthError
from treegarth.features.deliveries.addresses import DicomAddress
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.outcomes import NOT_HERE, outcome
from treegarth.features.deliveries.senders.protocol import CommitmentForgotten, DestinationUnreachable, EchoResult
from treegarth.features.deliveries.senders.store_jobs import (
    LIVE_STATES,
    JobEnd,
    JobEnding,
    ending_of,
    is_unreachable,
    takes_no_such_class,
    unreachable,
)
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.connections import allowed_addresses
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_
from treegarth.tasks.shutdown import pause

_FIRST_POLL_S, _LONGEST_POLL_S = 0.01, 0.25
_NO_PROGRESS_S = 1800.0  # Orthanc ends a silent association by its own timeout; this is for what nobody foresaw
_CANCEL_S = 60.0
_ECHO_S = 10
_MOST_FAILURES = 3  # in a row, then the rest of a send waits for another
_NO_CONTEXT = (2015, 2016)  # Orthanc's codes: no presentation context accepted; C-FIND not supported
_UNSUPPORTED = ("0x0122", "0xA900", "0xa900", "0x0124")  # PS3.7 C: not supported, PS3.4 C.4.1: does not match, refused

_OURS = "treegarth-"  # what Orthanc calls the nodes that we tell it of begins so
_RIGHTS = ("AllowFind", "AllowFindWorklist", "AllowGet", "AllowMove")

_UNKNOWN = P_("Orthanc knows the node or an object no more.")
_STARTED_ANEW = P_("Orthanc was started anew while it sent.")

logger = logging.getLogger(__name__)


class DicomSender:
    """Carries objects to one DICOM node through Orthanc, which knows it as `treegarth-<id>`."""

    def __init__(
        self,
        destination_id: int,
        address: DicomAddress,
        orthanc: OrthancClient,
        gate: Gate,
        *,
        wait: Callable[[float], None] = pause,
    ) -> None:
        self._path = f"/modalities/{_OURS}{destination_id}"
        self._address = address
        self._orthanc = orthanc
        self._places = gate.places
        self._wait = wait

    @classmethod
    def of(cls, destination: Destination, orthanc: OrthancClient, gate: Gate) -> Self:
        """The one of this destination. Raises PlaceRefused."""
        return cls(destination.id, cast(DicomAddress, destination.address), orthanc, gate)

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """By as many jobs as it needs, one after the other, each going on after the object that ended the last."""
        outcomes: list[Outcome] = []
        rest, failures = list(objects), 0
        while rest:
            if failures >= _MOST_FAILURES:
                return outcomes + [_not_begun(one, outcomes[-1].reason) for one in rest]
            end = self._run_job(rest, recorded)
            if end.ending is JobEnding.GONE:
                gone = [one for one in rest if not self._is_in_orthanc(one)]
                outcomes += [_gone(one) for one in gone]
                if not gone:
                    return outcomes + [_not_begun(one, end.reason) for one in rest]
                rest = [one for one in rest if one not in gone]
                continue
            if end.ending is JobEnding.UNREACHABLE and not outcomes and end.position == 0:
                raise DestinationUnreachable(end.reason)
            outcomes += [_arrived(one) for one in rest[: end.position]]
            if end.ending is not JobEnding.DUPLICATE:
                failures = failures + 1 if end.position == 0 else 1
            rest = rest[end.position :]
            if end.ending is JobEnding.UNREACHABLE:
                return outcomes + [_not_begun(one, end.reason) for one in rest]
            if end.ending in (JobEnding.LOST, JobEnding.CANCELED):
                return outcomes + [_unknown(one, end.reason) for one in rest]
            if rest:
                outcomes.append(self._failed(rest[0], end))
                rest = rest[1:]
        return outcomes

    def find(self, objects: Sequence[DeliveryObject]) -> set[str] | None:
        """One C-FIND at the level of instances for each series."""
        found: set[str] = set()

        def series(one: DeliveryObject) -> tuple[str, str]:
            return one.study_instance_uid, one.series_instance_uid

        self._introduce()
        for (study_instance_uid, series_instance_uid), members in groupby(sorted(objects, key=series), key=series):
            listed = self._instances_of(study_instance_uid, series_instance_uid)
            if listed is None:
                return None
            found |= {one.orthanc_instance_id for one in members if one.sop_instance_uid in listed}
        return found

    def commit(self, objects: Sequence[DeliveryObject]) -> str | None:
        asked = [[one.sop_class_uid, one.sop_instance_uid] for one in objects if one.sop_class_uid]
        self._introduce()
        try:
            body = {"DicomInstances": asked, "Timeout": self._address.timeout_s}
            answer = self._orthanc.post(f"{self._path}/storage-commitment", body, timeout_s=self._patience_s)
        except OrthancRefused as error:
            if is_unreachable(error.details):
                raise DestinationUnreachable(_words(error)) from error
            logger.info("No storage commitment by %s: %s", self._address.ae_title, _words(error))
            return None
        return str(answer["ID"])

    def committed(self, transaction: str) -> Mapping[str, bool] | None:
        try:
            report = self._orthanc.get(f"/storage-commitment/{transaction}")
        except NotFound as error:
            raise CommitmentForgotten from error
        if report["Status"] == "Pending":
            return None
        return {one["SOPInstanceUID"]: True for one in report.get("Success", [])} | {
            one["SOPInstanceUID"]: False for one in report.get("Failures", [])
        }

    def settle(self, objects: Sequence[DeliveryObject], open_jobs: Collection[str]) -> None:
        """A worker that was killed between submitting a job and recording it leaves one that nobody watches."""
        ours = {one.orthanc_instance_id for one in objects}
        for job in self._orthanc.get("/jobs?expand"):
            content = job.get("Content", {})
            if (
                job.get("Type") == "DicomModalityStore"
                and job.get("State") in LIVE_STATES
                and job["ID"] not in open_jobs
                and content.get("RemoteAet") == self._address.ae_title
                and not ours.isdisjoint(content.get("ParentResources", []))
            ):
                logger.warning("Orthanc's job %s sends for a worker that vanished; it is ended first.", job["ID"])
                self._cancel(job["ID"])

    def echo(self) -> EchoResult:
        self._introduce()
        try:
            body = {"Timeout": min(_ECHO_S, self._address.timeout_s)}
            self._orthanc.post(f"{self._path}/echo", body, timeout_s=4.0 * _ECHO_S)
        except OrthancRefused as error:
            return EchoResult(answers=error.code in _NO_CONTEXT, reason=_words(error))
        return EchoResult(answers=True)

    @property
    def _patience_s(self) -> float:
        """For a request during which Orthanc talks with the node: it may wait several times in turn."""
        return 4.0 * self._address.timeout_s

    def _introduce(self) -> None:
        """Tell Orthanc of the node: it keeps this in memory only, and the settings may have changed.

        Orthanc connects, so it is told the address that was judged and no name, which could mean another one to it.
        Raises DestinationUnreachable.
        """
        self._orthanc.put(
            self._path,
            {
                **self._rights(),
                "AET": self._address.ae_title,
                "Host": self._host(),
                "Port": self._address.port,
                "UseDicomTls": self._address.tls,
                "LocalAet": self._address.local_ae_title or "",
                "Timeout": self._address.timeout_s,
                "AllowStorageCommitment": True,
            },
        )

    def _host(self) -> str:
        host, port = self._address.host, self._address.port
        try:
            allowed = allowed_addresses(self._places, host, port)
        except PlaceRefused as error:
            raise DestinationUnreachable(error.sentence) from error
        except socket.gaierror as error:
            raise DestinationUnreachable(P_("Nobody knows the name %(host)s.", host=host)) from error
        return str(next((one for one in allowed if one.version == 4), allowed[0]))  # dcmtk's first choice, too

    def _rights(self) -> dict[str, bool]:
        """What Orthanc's configuration lets a node of this AE title do: to be sent to is no right to ask for patients.

        Not told, Orthanc would allow everything; told less than its own entry of the same AE title, it would take that
        away (1.10.1: the strictest counts).
        """
        known = self._orthanc.get("/modalities", parameters={"expand": ""})
        own = [
            one
            for name, one in known.items()
            if not name.startswith(_OURS) and one.get("AET") == self._address.ae_title
        ]
        return {right: any(one.get(right, False) for one in own) for right in _RIGHTS}

    def _run_job(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> JobEnd:
        try:
            self._introduce()
        except DestinationUnreachable as error:
            return JobEnd(ending=JobEnding.UNREACHABLE, position=0, reason=error.sentence)
        resources = [one.orthanc_instance_id for one in objects]
        body = {"Resources": resources, "Synchronous": False, "Permissive": False}
        try:
            job_id = str(self._orthanc.post(f"{self._path}/store", body)["ID"])
        except NotFound:
            return JobEnd(ending=JobEnding.GONE, position=0, reason=_UNKNOWN)
        try:
            recorded(job_id)
        except TreegarthError:
            self._cancel(job_id)  # nobody would know of it
            raise
        return self._watch(job_id, len(objects))

    def _watch(self, job_id: str, count: int) -> JobEnd:
        pause, last, moved_at = _FIRST_POLL_S, None, monotonic()
        while True:
            self._wait(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_S)
            try:
                job = self._orthanc.get(f"/jobs/{job_id}")
            except NotFound:
                return JobEnd(ending=JobEnding.LOST, position=0, reason=_STARTED_ANEW)
            if job["State"] not in LIVE_STATES:
                return ending_of(job, count)
            if (seen := (job["State"], job["Progress"])) != last:
                last, moved_at = seen, monotonic()
            elif monotonic() - moved_at > _NO_PROGRESS_S:
                self._cancel(job_id)

    def _cancel(self, job_id: str) -> None:
        """And wait until it has ended: a canceled job still ends the object that it is at."""
        try:
            self._orthanc.post(f"/jobs/{job_id}/cancel", {})
            deadline = monotonic() + _CANCEL_S + self._patience_s
            while self._orthanc.get(f"/jobs/{job_id}")["State"] in LIVE_STATES:
                if monotonic() > deadline:
                    raise OrthancUnavailable(P_("Orthanc does not end its job %(job)s.", job=job_id))
                self._wait(0.1)
        except NotFound:
            logger.debug("The job ended by itself.")

    def _failed(self, one: DeliveryObject, end: JobEnd) -> Outcome:
        """The object at which a job ended."""
        if not self._is_in_orthanc(one):
            return _gone(one)
        arrived = False if end.ending in (JobEnding.REFUSED, JobEnding.NO_CONTEXT) else None
        reason = takes_no_such_class(one.sop_class_uid) if end.ending is JobEnding.NO_CONTEXT else end.reason
        return outcome(one, arrived, reason=reason, has_it=end.ending is JobEnding.DUPLICATE)

    def _is_in_orthanc(self, one: DeliveryObject) -> bool:
        return self._orthanc.exists(f"/instances/{one.orthanc_instance_id}")

    def _instances_of(self, study_instance_uid: str, series_instance_uid: str) -> set[str] | None:
        query = {
            "StudyInstanceUID": study_instance_uid,
            "SeriesInstanceUID": series_instance_uid,
            "SOPInstanceUID": "",
        }
        body = {"Level": "Instance", "Query": query, "Timeout": self._address.timeout_s}
        try:
            path = self._orthanc.post(f"{self._path}/query", body, timeout_s=self._patience_s)["Path"]
        except OrthancRefused as error:
            if error.code in _NO_CONTEXT or any(status in error.details for status in _UNSUPPORTED):
                return None
            raise DestinationUnreachable(_words(error)) from error
        answers: list[dict[str, Any]] = self._orthanc.get(f"{path}/answers?expand&simplify")
        self._orthanc.delete(path)
        return {str(answer.get("SOPInstanceUID", "")).strip() for answer in answers}


def _words(error: OrthancRefused) -> str:
    return unreachable(error.details) if is_unreachable(error.details) else error.sentence


def _arrived(one: DeliveryObject) -> Outcome:
    return Outcome(orthanc_instance_id=one.orthanc_instance_id, arrived=True, proof=Proof.STATUS)


def _unknown(one: DeliveryObject, reason: str | None) -> Outcome:
    return Outcome(orthanc_instance_id=one.orthanc_instance_id, arrived=None, reason=reason)


def _not_begun(one: DeliveryObject, reason: str | None) -> Outcome:
    return Outcome(orthanc_instance_id=one.orthanc_instance_id, arrived=False, reason=reason, begun=False)


def _gone(one: DeliveryObject) -> Outcome:
    return Outcome(orthanc_instance_id=one.orthanc_instance_id, arrived=False, reason=NOT_HERE, gone=True)
