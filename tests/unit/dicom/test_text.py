"""Text of every character set that hospitals here and in Asia write is read, and the usual wrong label is repaired."""

import pytest

from treegarth.dicom.text import decode_text, repair_text


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
