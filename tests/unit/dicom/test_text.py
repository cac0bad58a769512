"""Text of every character set that hospitals here and in Asia write is read, and the usual wrong label is repaired."""

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from tests.dose_builder import as_file, ct_dose_report
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import read_header, relabel_of
from treegarth.dicom.relabelling import Relabelling, Relabellings
from treegarth.dicom.text import decode_text, repair_text
from treegarth.features.dose.reading import read_dose_bytes


@pytest.mark.parametrize(
    ("raw", "label", "text"),
    [
        (b"Topogram ", None, "Topogram"),
        ("Müller".encode("latin_1"), "ISO_IR 100", "Müller"),
        ("흉부 CT".encode(), "ISO_IR 192", "흉부 CT"),
        ("흉부 CT".encode("euc_kr"), "ISO_IR 149", "흉부 CT"),
        (b"\x1b$)C" + "흉부".encode("euc_kr") + b" CT", ["", "ISO 2022 IR 149"], "흉부 CT"),
        ("흉부 CT".encode("euc_kr"), "\\ISO 2022 IR 149", "흉부 CT"),
        ("뷁".encode("cp949"), "\\ISO 2022 IR 149", "뷁"),
        ("胸部".encode("iso2022_jp"), "\\ISO 2022 IR 87", "胸部"),
        ("胸部".encode("gb18030"), "GB18030", "胸部"),
        ("Живот".encode("iso8859_5"), "ISO_IR 144", "Живот"),
        ("testæøå".encode(), "ISO_IR 100", "testæøå"),
        ("흉부".encode(), None, "흉부"),
        (b"a\0b\0", None, "ab"),
    ],
)
def test_text_is_read_by_its_label_or_by_what_the_bytes_plainly_are(raw, label, text):
    assert decode_text(raw, label) == text


def test_japanese_name_groups_in_two_sets_are_read():
    raw = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
    assert decode_text(raw, "\\ISO 2022 IR 87") == "Yamada^Tarou=山田^太郎=やまだ^たろう"


def test_bytes_that_no_set_explains_stay_visible():
    assert decode_text(b"\xff\xfe ok", "ISO_IR 192") == "\ufffd\ufffd ok"


def test_every_sequence_of_bytes_gives_text():
    for first in range(256):
        for label in (None, "ISO_IR 100", "ISO_IR 149", "\\ISO 2022 IR 87", "ISO_IR 192", "nonsense", "ISO 2022 IR 58"):
            assert isinstance(decode_text(bytes([first, 0x80, 0x1B, first]), label), str)


@pytest.mark.parametrize(
    ("text", "repaired"), [("testÃ¦Ã¸Ã¥", "testæøå"), ("Müller", "Müller"), ("흉부", "흉부"), ("", "")]
)
def test_utf_8_that_was_read_as_latin_1_is_repaired(text, repaired):
    assert repair_text(text) == repaired


DEVICE = {"manufacturer": "MAKER", "manufacturer_model_name": "CT 3", "station_name": None}


@pytest.mark.parametrize(
    ("device", "labelled", "label", "meant"),
    [
        ({"manufacturer": "maker"}, "any", ("ISO_IR 100",), ("ISO_IR 149",)),
        ({"manufacturer": "m*", "manufacturer_model_name": "ct ?"}, "any", (), ("ISO_IR 149",)),
        ({"manufacturer": "maker", "station_name": "CT"}, "any", ("ISO_IR 100",), ("ISO_IR 100",)),
        ({"manufacturer": "mak"}, "any", ("ISO_IR 100",), ("ISO_IR 100",)),
        ({"manufacturer": "maker"}, "absent", (), ("ISO_IR 149",)),
        ({"manufacturer": "maker"}, "absent", ("ISO_IR 100",), ("ISO_IR 100",)),
        ({"manufacturer": "maker"}, "iso_ir 100", ("ISO_IR 100 ",), ("ISO_IR 149",)),
        ({"manufacturer": "maker"}, "\\ISO 2022 IR 87", ("", "ISO 2022 IR 87"), ("ISO_IR 149",)),
    ],
)
def test_a_label_means_what_the_site_says_of_the_device(device, labelled, label, meant):
    first = Relabelling(device={"manufacturer": "other"}, labelled="any", really="KOI8-R")
    one = Relabelling(device=device, labelled=labelled, really="ISO_IR 149")
    assert Relabellings([first, one]).of(DEVICE)(label) == meant


@pytest.mark.parametrize("is_little_endian", [True, False])
def test_header_header_json_and_dose_are_read_by_what_a_label_means(is_little_endian):
    inner, dataset = Dataset(), ct_dose_report()
    inner.SpecificCharacterSet = "ISO_IR 100"
    inner.CodeMeaning = "흉부".encode("euc_kr").decode("latin_1")
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = dataset.InstitutionName = "홍^길동".encode("euc_kr").decode("latin_1")
    dataset.ProcedureCodeSequence = [inner]
    dataset.Manufacturer, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "MAKER", "1.2", "1.3"
    syntax = ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
    data = as_file(dataset, syntax)
    rules = Relabellings([Relabelling(device={"manufacturer": "MAKER"}, labelled="ISO_IR 100", really="EUC-KR")])
    assert read_header(data, rules).patient_name == "홍^길동"
    assert read_header(data).patient_name != "홍^길동"
    found = header_json(data, relabel_of(data, rules))
    assert found["00100010"]["Value"] == [{"Alphabetic": "홍^길동"}]
    assert found["00080005"]["Value"] == ["ISO_IR 100"]
    assert found["00081032"]["Value"][0]["00080104"]["Value"] == ["흉부"]
    assert read_dose_bytes(data, rules).equipment.institution_name == "홍^길동"
