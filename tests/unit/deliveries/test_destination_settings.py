"""What may be set of a destination: each kind's address, secrets by their place only, every mistake at its place."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from pydicom.datadict import tag_for_keyword

from treegarth.dicom.headers import TAGS
from treegarth.features.deliveries.address_parts import LAYOUT_KEYWORDS, SecretPlace
from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.destinations import DestinationSettings
from treegarth.features.deliveries.kinds import KINDS
from treegarth.web.validation import InvalidFields, validated

DICOM = {"ae_title": "NMDOSE", "host": "nm.example", "port": 104}
WEB = {"url": "https://pacs.example/dicom-web"}
ADDRESSES: dict[str, dict[str, Any]] = {
    "dicom": DICOM,
    "dicomweb": {**WEB, "token": {"environment": "TOKEN"}, "headers": {"X-Site": "1"}},
    "peer": {"url": "http://other:8042/", "user": "u", "password": {"file": "/run/secrets/p"}},
    "folder": {"path": "/exports", "layout": "{PatientID}/{InstanceNumber}.dcm"},
    "s3": {"bucket": "images", "prefix": "pacs/", "endpoint_url": "http://minio:9000"},
}


def wrong(kind: str, address: object, **others: object) -> list[str]:
    """The fields that are refused."""
    with pytest.raises(InvalidFields) as caught:
        validated(DestinationSettings, {"name": "A", "kind": kind, "address": address, **others})
    return [fault.field for fault in caught.value.faults]


@pytest.mark.parametrize("kind", ADDRESSES)
def test_each_kind_is_read_back_as_it_was_set(kind: str) -> None:
    found = DestinationSettings.model_validate({"name": " A ", "kind": kind, "address": ADDRESSES[kind]})
    assert found.name == "A"
    assert DestinationSettings.model_validate(found.document()) == found


@pytest.mark.parametrize(
    ("kind", "address", "fields"),
    [
        ("dicom", {}, ["address.ae_title", "address.host", "address.port"]),
        ("dicom", {**DICOM, "ae_title": "SEVENTEEN_LETTERS"}, ["address.ae_title"]),
        ("dicom", {**DICOM, "ae_title": "A\\B"}, ["address.ae_title"]),
        ("dicom", {**DICOM, "port": 0}, ["address.port"]),
        ("dicom", {**DICOM, "prot": 104}, ["address"]),
        ("dicomweb", {"url": "https://user:secret@pacs.example"}, ["address.url"]),
        ("dicomweb", {"url": "file:///etc/passwd"}, ["address.url"]),
        ("dicomweb", {**WEB, "headers": {"Authorization": "Bearer x"}}, ["address.headers"]),
        ("dicomweb", {**WEB, "headers": {"X": "a\r\nY: b"}}, ["address.headers"]),
        ("dicomweb", {**WEB, "token": "plain"}, ["address.token"]),
        ("peer", {**WEB, "user": "u"}, ["address"]),
        ("peer", {**WEB, "user": "u", "password": "plain"}, ["address.password"]),
        ("folder", {"path": "exports"}, ["address.path"]),
        ("folder", {"path": "/a/../b"}, ["address.path"]),
        ("folder", {"path": "/a", "layout": "../{SOPInstanceUID}"}, ["address.layout"]),
        ("folder", {"path": "/a", "layout": "{PixelData}"}, ["address.layout"]),
        ("s3", {"bucket": "a/b"}, ["address.bucket"]),
        ("s3", {"bucket": "images", "access_key_id": "k"}, ["address"]),
        ("dicom", "NMDOSE", ["address"]),
    ],
)
def test_a_mistake_is_named_at_its_place(kind: str, address: object, fields: list[str]) -> None:
    assert wrong(kind, address) == fields


def test_a_secret_that_stands_in_the_address_is_not_repeated_in_the_refusal() -> None:
    address = {**WEB, "user": "u", "password": "hunter2"}
    with pytest.raises(InvalidFields) as caught:
        validated(DestinationSettings, {"name": "A", "kind": "peer", "address": address})
    assert "hunter2" not in str(caught.value)


def test_a_destination_is_not_its_own_alternate() -> None:
    assert wrong("dicom", DICOM, alternate="A") == ["request"]


def test_a_secret_has_one_place() -> None:
    for wrong_places in ({}, {"environment": "A", "file": "/b"}, {"environment": "A B"}, {"file": "/a\0b"}):
        with pytest.raises(ValueError):
            SecretPlace.model_validate(wrong_places)


@pytest.mark.parametrize(("keyword", "column"), LAYOUT_KEYWORDS.items())
def test_a_keyword_is_the_standards(keyword: str, column: str) -> None:
    assert tag_for_keyword(keyword) == TAGS[column]


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_sends_and_what_gets_back_is_where_the_kind_says(kind: Kind) -> None:
    for place in (KINDS[kind].sender, KINDS[kind].retriever):
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(f"treegarth.features.deliveries.{module}"), name).of)
