"""Bad DICOM: named objects that break one rule each, and any number of mutants of good ones by a seeded generator."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from tests.dose_builder import as_file, ct_acquisition, ct_dose_report, num

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_ROOT = "2.25.77"
_HEADER_BYTES = 2000  # where most mutations strike: pixel data may be anything


@dataclass(frozen=True, kw_only=True)
class BadObject:
    """The bytes of a file, and what is bad about it."""

    name: str
    data: bytes


def uid(*parts: int) -> str:
    """A UID of these tests."""
    return ".".join([_ROOT, *map(str, parts)])


def ct_image(number: int, **values: object) -> Dataset:
    """A small CT image in a study, series and instance of this number; `values` by keyword replace its own."""
    image = Dataset()
    image.SpecificCharacterSet = "ISO_IR 100"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.SOPClassUID, image.SOPInstanceUID = CT_IMAGE, uid(number, 3)
    image.StudyDate, image.StudyTime, image.Modality, image.StudyDescription = "20260302", "093000", "CT", "Chest CT"
    image.PatientName, image.PatientID = "Took^Peregrin", f"BAD{number:05d}"
    image.StudyInstanceUID, image.SeriesInstanceUID = uid(number, 1), uid(number, 2)
    image.SeriesNumber, image.InstanceNumber = 1, 1
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = 4
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 0
    image.PixelData = bytes(32)
    for keyword, value in values.items():
        if value is None:
            delattr(image, keyword)
        else:
            setattr(image, keyword, value)
    return image


def in_syntax(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """The file of a data set in a transfer syntax; values are written as they are."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CT_IMAGE) or CT_IMAGE
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", uid(1)) or uid(1)
    dataset.file_meta = meta
    stream = io.BytesIO()
    dcmwrite(
        stream,
        dataset,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return stream.getvalue()


def with_element(data: bytes, tag: int, value: bytes, vr: bytes = b"LO") -> bytes:
    """An explicit little-endian file whose element of this tag has these bytes, which nothing checks."""
    group, element = tag >> 16, tag & 0xFFFF
    start = data.index(struct.pack("<HH", group, element) + vr, 132)
    if vr in (b"OB", b"OW", b"SQ", b"UT", b"UN"):
        (length,) = struct.unpack_from("<I", data, start + 8)
        return data[: start + 8] + struct.pack("<I", len(value)) + value + data[start + 12 + length :]
    (length,) = struct.unpack_from("<H", data, start + 6)
    return data[: start + 6] + struct.pack("<H", len(value)) + value + data[start + 8 + length :]


def inserted_before(data: bytes, tag: int, more: bytes) -> bytes:
    """The file with raw bytes in front of an element of its data set."""
    start = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    return data[:start] + more + data[start:]


def nasty_objects() -> list[BadObject]:
    """Objects that each break one rule, or follow a rare one."""
    numbers = iter(range(1, 1000))
    found = [BadObject(name=name, data=make(next(numbers))) for name, make in _NASTY.items()]
    assert len({one.data for one in found}) == len(found)
    return found


def _raw(tag: int, value: bytes, vr: bytes = b"LO") -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        return with_element(in_syntax(ct_image(number)), tag, value + b" " * (len(value) % 2), vr)

    return make


def _values(**values: object) -> Callable[[int], bytes]:
    return lambda number: in_syntax(ct_image(number, **values))


def _text_in(label: str, name: bytes, patient_id: bytes) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        data = in_syntax(ct_image(number, SpecificCharacterSet=label.split("\\")))
        data = with_element(data, 0x00100010, name + b" " * (len(name) % 2), b"PN")
        return with_element(data, 0x00100020, patient_id + b" " * (len(patient_id) % 2), b"LO")

    return make


def _in(syntax: UID) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        image = ct_image(number)
        image["PixelData"].VR = "OW"
        return in_syntax(image, syntax)

    return make


def _compressed(syntax: UID, fragment: bytes) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        data = in_syntax(ct_image(number, PixelData=None))
        data = data.replace(ExplicitVRLittleEndian.encode() + b"\0", syntax.encode().ljust(20, b"\0"), 1)
        items = b"\xfe\xff\x00\xe0" + bytes(4) + b"\xfe\xff\x00\xe0" + struct.pack("<I", len(fragment)) + fragment
        return data + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + items + b"\xfe\xff\xdd\xe0" + bytes(4)

    return make


def _deep(depth: int, *, before: int = 0x00100010) -> Callable[[int], bytes]:
    """Sequences within sequences of undefined length, in front of an element that the index wants."""

    def make(number: int) -> bytes:
        head = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
        tail = b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)
        return inserted_before(in_syntax(ct_image(number)), before, head * depth + tail * depth)

    return make


def _deflated_junk(number: int) -> bytes:
    data = _in(DeflatedExplicitVRLittleEndian)(number)
    return data[:-40] + bytes(random.Random(number).randbytes(40))


def _deflated_bomb(number: int) -> bytes:
    image = ct_image(number, PixelData=None)
    plain = in_syntax(image) + b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", 30_000_000) + bytes(30_000_000)
    start = plain.index(b"\x08\x00\x05\x00")
    syntax = DeflatedExplicitVRLittleEndian.encode() + b"\0"
    meta = plain[:start].replace(ExplicitVRLittleEndian.encode() + b"\0", syntax.ljust(22, b"\0"))
    at = meta.index(b"\x02\x00\x10\x00UI") + 6
    meta = meta[:at] + struct.pack("<H", 22) + meta[at + 2 :]
    at = meta.index(b"\x02\x00\x00\x00UL\x04\x00") + 8
    meta = meta[:at] + struct.pack("<I", struct.unpack_from("<I", meta, at)[0] + 2) + meta[at + 4 :]
    packer = zlib.compressobj(wbits=-15)
    return meta + packer.compress(plain[start:]) + packer.flush()


def _private_only(number: int) -> bytes:
    image = Dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(image, keyword, getattr(ct_image(number), keyword))
    image.private_block(0x0009, "ENT", create=True).add_new(1, "UN", b"\x00\x01\x02" * 100)
    return in_syntax(image)


def _dicomdir(number: int) -> bytes:
    directory = Dataset()
    directory.FileSetID, directory.DirectoryRecordSequence = "ENT", []
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", uid(number, 3)
    return in_syntax(directory)


def _dose_report_cut(number: int, share: float) -> bytes:
    data = as_file(ct_dose_report(sop_instance_uid=uid(number, 3), study_instance_uid=uid(number, 1)))
    return data[: int(len(data) * share) // 2 * 2]


def _dose_report(*content: Dataset, **values: object) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        report = ct_dose_report(*content, sop_instance_uid=uid(number, 3), study_instance_uid=uid(number, 1))
        for keyword, value in values.items():
            setattr(report, keyword, value)
        return as_file(report)

    return make


def _dose_report_of_numbers(value: str) -> Callable[[int], bytes]:
    acquisition = ct_acquisition(dlp_mgy_cm=None)
    acquisition.ContentSequence.append(num("113838", "7.777777", "mGy.cm"))
    written = _dose_report(acquisition)
    return lambda number: written(number).replace(b"7.777777", value.encode().ljust(8))


_KOREAN = "홍길동"
_NASTY: dict[str, Callable[[int], bytes]] = {
    "NUL characters inside text": _raw(0x00081030, b"Chest\0\0CT\0x"),
    "NUL characters inside a patient identifier": _raw(0x00100020, b"AB\0CD"),
    "control characters in an identifier": _raw(0x00100020, b"AB\x01\x1f\x7f"),
    "a backslash in an identifier": _raw(0x00100020, b"AB\\CD"),
    "blanks around an identifier": _raw(0x00100020, b"  AB12   "),
    "an identifier of blanks": _raw(0x00100020, b"    "),
    "an empty identifier": _raw(0x00100020, b""),
    "an identifier of 10 KB": _raw(0x00100020, b"X" * 10240),
    "a description of 60 KB": _raw(0x00081030, b"Y" * 60000),
    "a long identifier in UTF-8 that no index takes": _text_in(
        "ISO_IR 192", b"A^B", "".join(map(chr, random.Random(1).sample(range(0xAC00, 0xD7A0), 2000))).encode()
    ),
    "bytes that are no UTF-8 under ISO_IR 192": _text_in("ISO_IR 192", b"Yi\xff\xfe^\x80", b"ID\xff"),
    "a lone surrogate in UTF-8": _text_in("ISO_IR 192", b"A\xed\xa0\x80^B", b"S\xed\xb0\x80"),
    "UTF-8 under ISO_IR 100": _text_in("ISO_IR 100", _KOREAN.encode(), "환자1".encode()),
    "Latin-1 identifier": _text_in("ISO_IR 100", b"M\xfcller^J\xf6rg", b"M\xfc1"),
    "Latin-1 identifier without a label": _text_in("", b"M\xfcller", b"M\xfc2"),
    "Korean with escape sequences": _text_in(
        "\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", b"\x1b$)C\xb1\xe8 1"
    ),
    "Japanese with escape sequences": _text_in(
        "\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"\x1b$B;3\x1b(B1"
    ),
    "Shift-JIS identifier": _text_in("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", b"\xd4\xcf"),
    "GB18030 identifier": _text_in("GB18030", b"Wang^XiaoDong", "王1".encode("gb18030")),
    "Cyrillic identifier": _text_in("ISO_IR 144", b"\xbb\xee\xda", b"\xbb\xee1"),
    "an unknown character set": _text_in("ISO_IR 999", b"A\xe4", b"B\xe4"),
    "a broken escape sequence": _text_in("\\ISO 2022 IR 149", b"A\x1b", b"\x1b$"),
    "a huge integer": _raw(0x00200013, b"99999999999999999999", b"IS"),
    "an integer of infinite size": _raw(0x00200013, b"1e999", b"IS"),
    "infinity as an integer": _raw(0x00200013, b"-inf", b"IS"),
    "no number as an integer": _raw(0x00200013, b"nan", b"IS"),
    "underscores in an integer": _raw(0x00200013, b"1_0", b"IS"),
    "a date that is none": _raw(0x00080020, b"99999999", b"DA"),
    "a date of year zero": _raw(0x00080020, b"00000101", b"DA"),
    "a time that is none": _raw(0x00080030, b"999999.999999", b"TM"),
    "rows of four bytes": _raw(0x00280010, b"\1\0\2\0", b"US"),
    "an empty study UID": _raw(0x0020000D, b"", b"UI"),
    "an empty instance UID": _raw(0x00080018, b"", b"UI"),
    "a UID of NUL characters": _raw(0x0020000D, b"\0\0", b"UI"),
    "a UID of letters": _raw(0x0020000E, b"not a uid", b"UI"),
    "a UID that is too long": _raw(0x0020000E, b"1." * 100 + b"12", b"UI"),
    "a UID in Latin-1": _raw(0x0020000E, b"1.2.\xe9\xe8", b"UI"),
    "no series UID": _values(SeriesInstanceUID=None),
    "no study UID": _values(StudyInstanceUID=None),
    "no instance UID": _values(SOPInstanceUID=None),
    "no patient": _values(PatientID=None, PatientName=None),
    "no SOP class": _values(SOPClassUID=None),
    "an unknown SOP class": _values(SOPClassUID="1.2.3.4.5"),
    "sequences 8 deep": _deep(8),
    "implicit little endian": _in(ImplicitVRLittleEndian),
    "big endian": _in(ExplicitVRBigEndian),
    "deflated": _in(DeflatedExplicitVRLittleEndian),
    "deflated and broken": _deflated_junk,
    "deflated to 30 MB of zeros": _deflated_bomb,
    "RLE": _compressed(RLELossless, struct.pack("<16I", 2, 64, 66, *[0] * 13) + b"\xf1\0\xf1\0"),
    "JPEG that is none": _compressed(JPEGBaseline8Bit, b"\xff\xd8junk\xff\xd9"),
    "an unknown transfer syntax": _compressed(UID("1.2.3.4"), b"junk"),
    "a DICOMDIR": _dicomdir,
    "private elements only": _private_only,
    "pixel data of no length": _values(PixelData=b""),
    "no pixel data": _values(PixelData=None),
    "the tag of pixel data inside text": _raw(0x00081030, b"\xe0\x7f\x10\x00OW\0\0\xff\xff\xff\xff"),
    "junk in a group length": lambda number: inserted_before(
        in_syntax(ct_image(number)), 0x00080005, b"\x08\x00\x00\x00UL\x04\x00\xff\xff\xff\xff"
    ),
    "elements out of order": lambda number: in_syntax(ct_image(number)) + b"\x08\x00\x50\x00SH\x02\x00A1",
    "an element twice": lambda number: inserted_before(
        in_syntax(ct_image(number)), 0x00100020, b"\x10\x00\x20\x00LO\x02\x00ZZ"
    ),
    "a length beyond the end": lambda number: in_syntax(ct_image(number))[:-8],
    "a value representation that is none": lambda number: in_syntax(ct_image(number)).replace(
        b"\x08\x00\x30\x10LO", b"\x08\x00\x30\x10??", 1
    ),
    "no preamble": lambda number: in_syntax(ct_image(number))[132:],
    "nothing": lambda number: b"",
    "a preamble alone": lambda number: bytes(128) + b"DICM",
    "text that is no DICOM": lambda number: b"{'not': 'DICOM'}" * 100,
    "a dose report": _dose_report(),
    "a dose report cut at a third": lambda number: _dose_report_cut(number, 0.34),
    "a dose report cut near its end": lambda number: _dose_report_cut(number, 0.95),
    "a dose report without content": _dose_report(ContentSequence=[]),
    "a dose report of infinite dose": _dose_report_of_numbers("1e999"),
    "a dose report of no number": _dose_report_of_numbers("nan"),
    "a dose report with text for a number": _dose_report_of_numbers("a\0b"),
    "a dose report with an endless event UID": lambda number: _dose_report(ct_acquisition(uid="1." * 3000 + "2"))(
        number
    ),
    "a dose report with endless Korean": _dose_report(
        PatientID="".join(map(chr, random.Random(2).sample(range(0xAC00, 0xD7A0), 3000)))
    ),
    "a dose report with an endless protocol": _dose_report(
        ct_acquisition(protocol="".join(map(chr, random.Random(3).sample(range(0xAC00, 0xD7A0), 3000))))
    ),
}


def good_templates() -> list[bytes]:
    """What mutants are made of: an image, the same in other encodings, and a dose report; each with its own marks."""
    image = ct_image(0)
    report = ct_dose_report(ct_acquisition(), ct_acquisition("1.2.3.5"), sop_instance_uid=uid(0, 3),
                            study_instance_uid=uid(0, 1))  # fmt: skip
    return [
        in_syntax(image),
        in_syntax(image, ImplicitVRLittleEndian),
        as_file(report),
        as_file(report),
        in_syntax(report, ImplicitVRLittleEndian),
    ]


def mutants(seed: int, count: int) -> Iterator[BadObject]:
    """Truncated, mutated and random files, always the same ones for a seed, each with an instance UID of its own."""
    chance, templates = random.Random(seed), good_templates()
    for number in range(count):
        if number % 20 == 0:
            size = chance.randrange(1, 4000)
            head = chance.choice(
                [b"", bytes(128), templates[0][: _dataset_begins(templates[0]) + chance.randrange(90)]]
            )
            yield BadObject(name=f"random {number}", data=head + chance.randbytes(size))
            continue
        mark = uid(0, 3).encode() + b"\0"
        own = f"{_ROOT}.{number:d}"
        data = chance.choice(templates)
        dataset = dcmread(io.BytesIO(data))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{own}.3"
        if chance.random() < 0.5:
            dataset.StudyInstanceUID = f"{own}.1"
        data = in_syntax(dataset, dataset.file_meta.TransferSyntaxUID)
        assert mark not in data
        yield BadObject(name=f"mutant {number}", data=mutated(data, chance))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four mutations of a file's data set, most of them in its header.

    The meta information in front of it stays whole: Orthanc 1.10.1 reads beyond its buffer and dies, with or without
    plugins, when the length of one of its elements leads past the end of the file.
    """
    start = _dataset_begins(data)
    meta, changed = data[:start], bytearray(data[start:])
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        if len(changed) > 40:
            chance.choice(_MUTATIONS)(changed, chance)
    return meta + bytes(changed)


def _dataset_begins(data: bytes) -> int:
    """Behind the meta information, whose first element is its length (PS3.10 7.1)."""
    return 144 + int(struct.unpack_from("<I", data, 140)[0])


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), _HEADER_BYTES) if chance.random() < 0.7 else len(data))


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 6)):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    filling = chance.choice([bytes(4), b"\xff" * 4, b"\xff\xff\xff\xff" * 3, b"\xe0\x7f\x10\x00", chance.randbytes(8)])
    data[place : place + len(filling)] = filling


def _insert(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = chance.choice([chance.randbytes(chance.randrange(1, 64)), b"\0", b"\x1b$)C", b"\\" * 9])


def _delete(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.randrange(1, 32)]


def _double(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = data[place : place + chance.randrange(8, 200)]


def _spoil_length(data: bytearray, chance: random.Random) -> None:
    """The length of some explicit element."""
    places = [place for place in range(min(len(data), _HEADER_BYTES) - 2) if data[place : place + 2].isupper()]
    if places:
        place = chance.choice(places)
        data[place + 2 : place + 4] = struct.pack("<H", chance.choice([0, 1, 3, 0xFFFF, chance.randrange(1 << 16)]))


def _spoil_value(data: bytearray, chance: random.Random) -> None:
    """The value of some short element, whose structure stays whole."""
    places = [
        at for at in range(min(len(data), _HEADER_BYTES) - 8) if data[at : at + 2] in _TEXTS and data[at + 3] == 0
    ]
    if places:
        place = chance.choice(places)
        length = data[place + 2]
        value = chance.choice([chance.randbytes(length), b"\xff" * length, bytes(length), (b"-9e99\\" * 50)[:length]])
        data[place + 4 : place + 4 + length] = value


_TEXTS = (b"LO", b"SH", b"PN", b"DA", b"TM", b"IS", b"DS", b"CS", b"US", b"UI")
_SPOILERS = (_flip, _overwrite, _spoil_value, _spoil_value, _spoil_value, _spoil_value, _spoil_value, _spoil_value)
_MUTATIONS = (_truncate, _insert, _delete, _double, _spoil_length, *_SPOILERS)
