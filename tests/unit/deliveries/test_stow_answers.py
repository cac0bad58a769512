"""What DICOMweb servers answer to STOW-RS, in each form that the standard allows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from treegarth.features.deliveries.senders.stow_answers import StowAnswer, read_stow_answer, reason_in_words

XML = """<?xml version="1.0" encoding="UTF-8"?>
<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
  <DicomAttribute tag="00081190" vr="UR"><Value number="1">http://x/studies/1</Value></DicomAttribute>
  <DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence"><Item number="1">
    <DicomAttribute tag="00081155" vr="UI"><Value number="1">1.2</Value></DicomAttribute>
    <DicomAttribute tag="00081197" vr="US"><Value number="1">272</Value></DicomAttribute></Item></DicomAttribute>
  <DicomAttribute tag="00081199" vr="SQ"><Item number="1">
    <DicomAttribute tag="00081155" vr="UI"><Value number="1">1.1</Value></DicomAttribute></Item></DicomAttribute>
</NativeDicomModel>"""


def item(uid: str | None, reason: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]}}
    if uid:
        found["00081155"] = {"vr": "UI", "Value": [uid]}
    if reason is not None:
        found["00081197"] = {"vr": "US", "Value": [reason]}
    return found


def body(**sequences: list[dict[str, Any]]) -> bytes:
    return json.dumps({tag[1:]: {"vr": "SQ", "Value": items} for tag, items in sequences.items()}).encode()


def test_json_tells_of_each_object() -> None:
    given = body(_00081199=[item("1.1"), item("1.3")], _00081198=[item("1.2", 0x0110)])
    assert read_stow_answer(given, "application/dicom+json") == StowAnswer(
        stored=frozenset({"1.1", "1.3"}), failed={"1.2": 0x0110}
    )


def test_xml_tells_the_same() -> None:
    found = read_stow_answer(XML.encode(), "application/dicom+xml; charset=utf-8")
    assert found == StowAnswer(stored=frozenset({"1.1"}), failed={"1.2": 0x0110})


def test_failures_without_a_name_are_counted() -> None:
    given = body(_0008119A=[item(None, 0x0110)], _00081198=[item(None, 0x0110)])
    assert read_stow_answer(given, "application/json") == StowAnswer(other_failures=2)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (b"", "text/plain"),
        (b"<html><body>no", "text/html"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"00081199": 3}', "application/json"),
        (
            b'{"00081198": {"vr": "SQ", "Value": [{"00081155": {"Value": ["1"]}, "00081197": {"Value": ["x"]}}]}}',
            "json",
        ),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/dicom+xml"),
    ],
)
def test_what_cannot_be_read_says_nothing(given: bytes, kind: str) -> None:
    assert read_stow_answer(given, kind) in (None, StowAnswer())


def test_a_reason_has_words_and_its_number() -> None:
    assert reason_in_words(0x0122) == "It refused the object: SOP class not supported (0122)."
    assert reason_in_words(0xA702) == "It refused the object: out of resources (A702)."
    assert reason_in_words(0xC001) == "It refused the object: the object cannot be understood (C001)."
    assert reason_in_words(0x1234) == "It refused the object (1234)."
