"""Objects whose sequences are nested to any depth, in every encoding. Written byte by byte: pydicom recurses, too."""

from __future__ import annotations

import struct
import zlib
from typing import Literal

from pydicom import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.bad_objects import ct_image, in_syntax
from tests.dose_builder import ct_dose_report

PROCEDURE_CODES = 0x00081032  # a public sequence in front of everything that the index wants of a patient
PRIVATE = 0x00091010
CONTENT = 0x0040A730
SIGNATURES = 0xFFFAFFFA  # behind the pixels
KILLS_ORTHANC = 60
"""Levels of which Orthanc 1.10.1 dies when it is asked for the object's picture, attributes or DICOMweb."""

Lengths = Literal["defined", "undefined", "sequences undefined", "items undefined"]


def deep_object(
    number: int,
    depth: int,
    *,
    syntax: UID = ExplicitVRLittleEndian,
    lengths: Lengths = "undefined",
    tag: int = PROCEDURE_CODES,
    vr: bytes = b"SQ",
    dataset: Dataset | None = None,
) -> bytes:
    """A file of `ct_image(number)`, or of another data set, with a sequence so deep at the place of its tag."""
    dataset = ct_image(number) if dataset is None else dataset
    deflated = syntax == DeflatedExplicitVRLittleEndian
    form = ExplicitVRLittleEndian if deflated else syntax
    data = in_syntax(dataset, form)
    start = 144 + struct.unpack_from("<I", data, 140)[0]  # behind the meta information (PS3.10 7.1)
    meta, body = data[:start], data[start:]
    place = _behind_smaller_tags(dataset, tag, form)
    body = body[:place] + nested(depth, syntax=form, lengths=lengths, tag=tag, vr=vr) + body[place:]
    if not deflated:
        return meta + body
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packed.compress(body) + packed.flush()
    meta = in_syntax(dataset, DeflatedExplicitVRLittleEndian)
    return meta[: 144 + struct.unpack_from("<I", meta, 140)[0]] + body + b"\0" * (len(body) % 2)


def deep_dose_report(number: int, depth: int) -> bytes:
    """A structured report that is nothing but containers in containers."""
    report = ct_dose_report(study_instance_uid=f"2.25.78.{number}.1", sop_instance_uid=f"2.25.78.{number}.3")
    del report.ContentSequence
    return deep_object(number, depth, tag=CONTENT, dataset=report)


def nested(
    depth: int,
    *,
    syntax: UID = ExplicitVRLittleEndian,
    lengths: Lengths = "undefined",
    tag: int = PROCEDURE_CODES,
    vr: bytes = b"SQ",
) -> bytes:
    """That many sequences in each other, each with one item (PS3.5 7.5). With VR UN all inside is implicit (6.2.2)."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    is_explicit = syntax != ImplicitVRLittleEndian
    inner = b""
    for level in range(depth, 0, -1):
        is_implicit_here = not is_explicit or (vr == b"UN" and level > 1)
        inner = _sequence(tag, _item(inner, order, lengths), order, lengths, b"" if is_implicit_here else vr)
    return inner


def _item(inner: bytes, order: str, lengths: Lengths) -> bytes:
    if lengths in ("undefined", "items undefined"):
        end = struct.pack(f"{order}HHI", 0xFFFE, 0xE00D, 0)
        return struct.pack(f"{order}HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + end
    return struct.pack(f"{order}HHI", 0xFFFE, 0xE000, len(inner)) + inner


def _sequence(tag: int, items: bytes, order: str, lengths: Lengths, vr: bytes) -> bytes:
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF) + (vr + b"\0\0" if vr else b"")
    if lengths in ("undefined", "sequences undefined"):
        end = struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD, 0)
        return head + struct.pack(f"{order}I", 0xFFFFFFFF) + items + end
    return head + struct.pack(f"{order}I", len(items)) + items


def _behind_smaller_tags(dataset: Dataset, tag: int, syntax: UID) -> int:
    """How many bytes the elements of smaller tags take."""
    before = Dataset()
    for element in dataset:
        if int(element.tag) < tag:
            before.add(element)
    data = in_syntax(before, syntax)
    return len(data) - 144 - int(struct.unpack_from("<I", data, 140)[0])
