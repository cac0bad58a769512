"""Put objects into a bucket of S3, or of a server that speaks like it, and ask for each before it counts as there.

An object's name is made of its UIDs. Each carries Orthanc's identifier, so that an object of the same UIDs and another
patient gets a name of its own instead of taking this one's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.httpsession import URLLib3Session

from treegarth.errors import NotFound, PlaceRefused, UnreadableObject
from treegarth.features.deliveries.addresses import S3Address
from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.file_format import as_file
from treegarth.features.deliveries.senders.object_bytes import FetchedObject, fetched
from treegarth.features.deliveries.senders.outcomes import gone, outcome
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, EchoResult, PlainSender
from treegarth.features.deliveries.senders.remote_paths import as_part, without_dots
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.connections import guarded_pools
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_
from treegarth.places import DestinationPlaces

PART_BYTES = 64 << 20  # of an object beyond it: parts of this size, each with a checksum of its own
IDENTIFIER = "orthanc-instance-id"  # in the object's own metadata
ADDED_BYTES = "added-bytes"  # by which the file is longer than the object in Orthanc
CONNECT_S = 10.0
ANSWER_S = 60.0
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_DOWN = frozenset({"500", "502", "503", "504", "InternalError", "ServiceUnavailable", "SlowDown"})
_WORDS = {
    "403": P_("The key may not do this."),
    "AccessDenied": P_("The key may not do this."),
    "InvalidAccessKeyId": P_("The access key is not known."),
    "SignatureDoesNotMatch": P_("The secret is not that of the access key."),
    "NoSuchBucket": P_("There is no such bucket."),
    "404": P_("There is no such bucket."),
}


class S3Sender(PlainSender):
    """Carries objects into one bucket."""

    def __init__(self, address: S3Address, orthanc: OrthancClient, gate: Gate) -> None:
        """Raises PlaceRefused, SettingsRefused where the secret is not at its place."""
        if address.access_key_id is None:
            gate.places.check_machine_login()
        self._address = address
        self._orthanc = orthanc
        secret, verify = address.secret_access_key, gate.certificates(address.verify)
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=address.endpoint_url,
            region_name=address.region or ("us-east-1" if address.endpoint_url else None),
            aws_access_key_id=address.access_key_id,
            aws_secret_access_key=gate.secret(secret) if secret else None,
            verify=verify,
            config=Config(
                connect_timeout=CONNECT_S,
                read_timeout=ANSWER_S,
                retries={"total_max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": "path" if address.endpoint_url else "auto"},
                request_checksum_calculation="when_required",  # ours is in a header that old servers understand
            ),
        )
        http = _GuardedSession(gate.places, verify)
        self._client.meta.events.register("before-send.s3", lambda request, **_: http.send(request))

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """One after the other. Where the server fails the rest is not tried. Raises DestinationUnreachable."""
        outcomes: list[Outcome] = []
        for place, one in enumerate(objects):
            try:
                outcomes.append(self._send(one))
            except (ClientError, BotoCoreError) as error:
                reason = _reason(error)
                if not _is_down(error):
                    outcomes.append(outcome(one, False, reason=reason))
                    continue
                if not outcomes:
                    raise DestinationUnreachable(reason) from error
                arrived = False if _never_left(error) else None
                outcomes.append(outcome(one, arrived, reason=reason))
                outcomes.extend(outcome(rest, False, reason=reason, begun=False) for rest in objects[place + 1 :])
                break
        return outcomes

    def find(self, objects: Sequence[DeliveryObject]) -> set[str] | None:
        """Those that the bucket has in their size; None where it refuses to tell. Raises DestinationUnreachable."""
        try:
            return {one.orthanc_instance_id for one in objects if self._is_there(one)}
        except (ClientError, BotoCoreError) as error:
            if _is_down(error):
                raise DestinationUnreachable(_reason(error)) from error
            return None

    def echo(self) -> EchoResult:
        """Whether the bucket is there and the key may use it."""
        try:
            self._client.head_bucket(Bucket=self._address.bucket)
        except (ClientError, BotoCoreError) as error:
            return EchoResult(answers=False, reason=_reason(error))
        said = P_("bucket %(name)s", name=self._address.bucket)
        return EchoResult(answers=True, said=said, can_find=True, can_commit=False)

    def _send(self, one: DeliveryObject) -> Outcome:
        key = self._free_key(one)
        try:
            with fetched(self._orthanc, one.orthanc_instance_id, expected_bytes=one.size_bytes, form=as_file) as given:
                self._put(key, one, given)
                found = self._head(key)
                if found is None or found["ContentLength"] != given.size_bytes:
                    return outcome(one, False, reason=P_("The bucket does not have what was put there."))
                # of parts the checksum is one of checksums, and its form differs between servers
                if given.size_bytes <= PART_BYTES and found.get("ChecksumSHA256", _base64(given.sha256)) != _base64(
                    given.sha256
                ):
                    return outcome(one, False, reason=P_("The bucket has other bytes than were put there."))
        except NotFound:
            return gone(one)
        except UnreadableObject as error:
            return outcome(one, False, reason=error.sentence)
        return outcome(one, True, proof=Proof.STORED)

    def _put(self, key: str, one: DeliveryObject, given: FetchedObject) -> None:
        own = {IDENTIFIER: one.orthanc_instance_id, ADDED_BYTES: str(given.size_bytes - one.size_bytes)}
        described = {"ContentType": "application/dicom", "Metadata": own}
        place = {"Bucket": self._address.bucket, "Key": key}
        if given.size_bytes <= PART_BYTES:
            checksum = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": _base64(given.sha256)}
            self._client.put_object(Body=given.file, **checksum, **place, **described)
            return
        parts = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
        extra = {**described, "ChecksumAlgorithm": "SHA256"}
        self._client.upload_fileobj(given.file, **place, ExtraArgs=extra, Config=parts)

    def _free_key(self, one: DeliveryObject) -> str:
        """The first of its names that no other object has."""
        keys = list(self._keys(one))
        for key in keys[:-1]:
            found = self._head(key)
            if found is None or found["Metadata"].get(IDENTIFIER) == one.orthanc_instance_id:
                return key
        return keys[-1]

    def _keys(self, one: DeliveryObject) -> Iterator[str]:
        """The names under which an object may stand; the last can only be its own."""
        prefix = "/".join(map(without_dots, self._address.prefix.split("/")))
        uids = (one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid)
        plain = prefix + "/".join(map(as_part, uids))
        yield f"{plain}.dcm"
        yield f"{plain} {one.orthanc_instance_id}.dcm"

    def _is_there(self, one: DeliveryObject) -> bool:
        for key in self._keys(one):
            found = self._head(key)
            if found is not None and found["Metadata"].get(IDENTIFIER) == one.orthanc_instance_id:
                return bool(found["ContentLength"] == one.size_bytes + int(found["Metadata"].get(ADDED_BYTES, 0)))
        return False

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.head_object(
                Bucket=self._address.bucket, Key=key, ChecksumMode="ENABLED"
            )
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        return found


class _GuardedSession(URLLib3Session):  # type: ignore[misc]
    """botocore's own way of sending, through connections that go only where the settings allow; without proxies."""

    def __init__(self, places: DestinationPlaces, verify: bool | str) -> None:
        super().__init__(verify=verify, proxies={}, timeout=(CONNECT_S, ANSWER_S))
        self._manager.pool_classes_by_scheme = guarded_pools(places, AWSHTTPConnectionPool, AWSHTTPSConnectionPool)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_down(error: ClientError | BotoCoreError) -> bool:
    """Whether it is the server or the login that fails, not the one object."""
    if isinstance(error, ClientError):
        return _code(error) in _DOWN or _code(error) in _WORDS
    return True


def _never_left(error: ClientError | BotoCoreError) -> bool:
    """Whether surely nothing of the request arrived."""
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        return True
    return isinstance(error, HTTPClientError) and isinstance(error.kwargs.get("error"), PlaceRefused)


def _reason(error: ClientError | BotoCoreError) -> str:
    """Why it failed, without an object's name."""
    if isinstance(error, ClientError):
        code = _code(error)
        return _WORDS.get(code) or P_("It answered %(status)s.", status=code)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return P_("There is no access key to log in with.")
    if isinstance(refused := error.kwargs.get("error"), PlaceRefused):
        return refused.sentence
    return P_("It could not be reached, or the connection broke.")
