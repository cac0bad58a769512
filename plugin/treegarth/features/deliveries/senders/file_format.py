"""An object as a file that nothing but DICOM can mean: with the beginning that PS3.10 7.1 gives every file.

The preamble's 128 bytes may hold anything, and Orthanc keeps what came: a program's beginning, for one, or no preamble
at all and a data set that begins like a program. So what is written as a file begins with 128 zero bytes, `DICM` and
the file meta information, whatever the sender made of them. Every byte after that stays as Orthanc has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from treegarth.dicom.headers import read_header
from treegarth.errors import UnreadableObject
from treegarth.phrases import P_

PREAMBLE = bytes(128)
PREFIX = b"DICM"
MOST_ADDED_BYTES = 1024
"""By how much a file can be longer than the object that Orthanc has."""
_META_GROUP = b"\x02\x00"  # always little endian (PS3.10 7.1)
_ENOUGH = 1 << 20  # to read what the file meta information is made of


def as_file(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The object's bytes as those of a file. Raises UnreadableObject of what cannot be one."""
    rest = iter(pieces)
    beginning = b""
    for piece in rest:
        beginning += piece
        if len(beginning) >= _ENOUGH or beginning[128:132] == PREFIX:
            break
    yield PREAMBLE + PREFIX
    if beginning[128:132] == PREFIX:
        yield beginning[132:]
    else:
        yield (b"" if beginning.startswith(_META_GROUP) else _meta_information(beginning)) + beginning
    yield from rest


def _meta_information(data_set: bytes) -> bytes:
    """Of a data set that came without it (PS3.10 7.1). Its syntax is the one in which it can be read."""
    header = read_header(data_set)
    if header.sop_class_uid is None:
        raise UnreadableObject(P_("The object has no %(keyword)s.", keyword="sop_class_uid"))
    meta, written = FileMetaDataset(), BytesIO()
    try:
        is_implicit, is_little = dcmread(BytesIO(data_set), stop_before_pixels=True, force=True).original_encoding
        explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
        meta.MediaStorageSOPClassUID = header.sop_class_uid
        meta.MediaStorageSOPInstanceUID = header.sop_instance_uid
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
        write_file_meta_info(written, meta, enforce_standard=True)
    except Exception as error:  # pydicom raises whatever its parts raise on broken bytes and on UIDs that are none
        raise UnreadableObject(P_("No DICOM data set can be read: %(kind)s.", kind=type(error).__name__)) from error
    return written.getvalue()
