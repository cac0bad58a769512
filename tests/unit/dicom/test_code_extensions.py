"""Text in every character set of DICOM, with and without code extensions, as PS3.3 C.12.1.1.2 and PS3.5 6.1.2.5 say.

The bytes are put together here from Python's codecs and the escape sequences of Tables C.12-3 and C.12-4.
"""

import re
from io import BytesIO
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from treegarth.dicom.header_json import header_json
from treegarth.dicom.text import decode_text, repair_text

# Number of the set: codec, escape sequence, a name, a description. In G1 (single byte, Table C.12-3).
SINGLE_BYTE = {
    "100": ("latin_1", b"-A", "Lefèvre^Zoé", "Thorax à vérifier"),
    "101": ("iso8859_2", b"-B", "Dvořák^Jiří", "Hlava, břicho"),
    "109": ("iso8859_3", b"-C", "Ĉapelisto^Ĥora", "Ĝenerala ŝlosilo"),
    "110": ("iso8859_4", b"-D", "Bērziņš^Jānis", "Krūškurvis"),
    "144": ("iso8859_5", b"-L", "Петров^Олег", "Грудная клетка"),
    "127": ("iso8859_6", b"-G", "قباني^لنزار", "الصدر"),
    "126": ("iso8859_7", b"-F", "Διονυσιος^Νίκη", "Θώρακας"),
    "138": ("iso8859_8", b"-H", "שרון^דבורה", "חזה"),
    "148": ("iso8859_9", b"-M", "Çağlar^İpek", "Göğüs ışını"),
    "203": ("iso8859_15", b"-b", "Œuvrard^Zoë", "Žofie 5 €"),
    "166": ("iso8859_11", b"-T", "นามสกุล^ชื่อ", "ทรวงอก"),
    "13": ("shift_jis", b")I", "ﾔﾏﾀﾞ^ﾀﾛｳ", "ｷｮｳﾌﾞ"),
}
# Multi-byte (Table C.12-4): a name, a description. IR 87 and 159 in G0, the others in G1.
MULTI_BYTE = {
    "87": ("山田^太郎", "胸部単純"),
    "159": ("丂丄^侊", "丂丄丅"),
    "149": ("홍^길동", "흉부 조영 증강"),
    "58": ("张^小东", "胸部 平扫"),
}
WITHOUT_EXTENSIONS = {"ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk"}
DELIMITERS = "^=\\\r\n\f\t"


def in_set(number, text):
    """Text in a set, the escape sequence before each run (PS3.5 6.1.2.5.3), ASCII behind what stood in G0."""
    if not text or text.isascii():
        return text.encode()
    if number in SINGLE_BYTE:
        codec, escape, *_ = SINGLE_BYTE[number]
        return b"\x1b" + escape + text.encode(codec)
    if number == "87":
        return text.encode("iso2022_jp")
    if number == "159":
        latin, kanji = re.match("([ -~]*)(.*)", text).groups()
        return latin.encode() + b"\x1b$(D" + b"".join(_three_byte(one) for one in kanji) + b"\x1b(B"
    return {"149": b"\x1b$)C", "58": b"\x1b$)A"}[number] + text.encode({"149": "euc_kr", "58": "gb2312"}[number])


def _three_byte(letter):
    raw = letter.encode("euc_jp")
    assert len(raw) == 3, "it is in JIS X 0212"
    return bytes(one & 0x7F for one in raw[1:])


def extended(number, text):
    """A value, each part between delimiters in the set anew."""
    parts, part = [], ""
    for letter in text:
        if letter in DELIMITERS:
            parts += [in_set(number, part), letter.encode()]
            part = ""
        else:
            part += letter
    return b"".join([*parts, in_set(number, part)])


@pytest.mark.parametrize("number", SINGLE_BYTE)
@pytest.mark.parametrize("term", ["ISO_IR {}", "ISO 2022 IR {}"])
def test_a_single_byte_set_is_read_without_escapes(number, term):
    codec, _, name, description = SINGLE_BYTE[number]
    for vr, text in (("PN", f"A^B={name}={name}"), ("LO", description), ("LO", f"{description}\\CT")):
        assert decode_text(text.encode(codec), term.format(number), vr) == text


@pytest.mark.parametrize("number", [*SINGLE_BYTE, *MULTI_BYTE])
@pytest.mark.parametrize("first", ["", "ISO 2022 IR 6", "ISO 2022 IR 100", "ISO 2022 IR 13", None])
def test_a_set_is_read_by_its_escapes_announced_or_not(number, first):
    name, description = SINGLE_BYTE[number][2:] if number in SINGLE_BYTE else MULTI_BYTE[number]
    labels = [None, "ISO_IR 100"] if first is None else [f"{first}\\ISO 2022 IR {number}", first]
    groups = ("Hong^Gildong", name, "")
    for label in labels:
        for alphabetic, ideographic, phonetic in product(groups, repeat=3):
            text = f"{alphabetic}={ideographic}={phonetic}"
            assert decode_text(extended(number, text), label, "PN") == text
        for text in (description, f"{description}\\CT\\{description}", f"CT {description}"):
            assert decode_text(extended(number, text), label, "LO") == text
        for control in "\r\n\f\t":
            text = f"{description}{control}{description}\\{description}"
            assert decode_text(extended(number, text), label, "LT") == text


@pytest.mark.parametrize("number", MULTI_BYTE)
def test_every_character_of_a_multi_byte_set_is_the_one_that_python_knows(number):
    codec = {"87": "euc_jp", "159": "euc_jp", "149": "euc_kr", "58": "gb2312"}[number]
    before = b"\x8f" if number == "159" else b""
    in_g0 = number in ("87", "159")
    for row in range(0xA1, 0xFF):
        known = [one for cell in range(0xA1, 0xFF) if (one := _letter(before + bytes([row, cell]), codec)) is not None]
        raw = b"".join(one.encode(codec)[len(before) :] for one in known)
        if in_g0:
            raw = bytes(one & 0x7F for one in raw)
        escape = {"87": b"\x1b$B", "159": b"\x1b$(D", "149": b"\x1b$)C", "58": b"\x1b$)A"}[number]
        assert decode_text(escape + raw, f"\\ISO 2022 IR {number}", "PN") == "".join(known)


def _letter(raw, codec):
    try:
        letter = raw.decode(codec)
    except UnicodeDecodeError:
        return None
    return letter if len(letter) == 1 and letter.encode(codec) == raw else None


@pytest.mark.parametrize(("term", "codec"), WITHOUT_EXTENSIONS.items())
def test_a_set_without_code_extensions_is_read(term, codec):
    for text in ("Wang^XiaoDong=王^小东=", "Wang^XiaoDong=王^小東=Zhàn", "胸部\\腹部", "胸部平扫\r\n增强\t第一期"):
        assert decode_text(text.encode(codec), term, "PN") == text


def test_a_byte_of_a_letter_that_looks_like_a_delimiter_is_none():
    assert decode_text("誠^功".encode("gbk"), "GBK", "PN") == "誠^功"
    assert decode_text("表\\ソ".encode("shift_jis"), "ISO_IR 13") == "表\\ソ"
    assert decode_text(b"\x1b$B" + b"^=\\=" + b"\x1b(B^A", "\\ISO 2022 IR 87", "PN") == (
        b"\x1b$B" + b"^=\\=" + b"\x1b(B^A"
    ).decode("iso2022_jp")


# PS3.5 Annex H: Japanese.
def test_annex_h_romaji_kanji_and_kana_in_three_groups():
    raw = b"Sato^Ken=\x1b$B:4F#\x1b(B^\x1b$B7r\x1b(B=\x1b$B$5$H$&\x1b(B^\x1b$B$1$s\x1b(B"
    assert decode_text(raw, "\\ISO 2022 IR 87", "PN") == "Sato^Ken=佐藤^健=さとう^けん"


def test_annex_h_half_width_katakana_is_first_and_comes_back_at_each_delimiter():
    raw = b"\xbb\xc4\xb3^\xb9\xdd=\x1b$B:4F#\x1b(J^\x1b$B7r\x1b(J=\x1b$B$5$H$&\x1b(J^\x1b$B$1$s\x1b(J"
    assert decode_text(raw, "ISO 2022 IR 13\\ISO 2022 IR 87", "PN") == "ｻﾄｳ^ｹﾝ=佐藤^健=さとう^けん"


# PS3.5 Annex I: Korean.
def test_annex_i_hangul_and_hanja_are_in_g1_beside_ascii():
    raw = b"Lee^Seo=\x1b$)C\xd7\xdd^\x1b$)C\xdf\xc0=\x1b$)C\xc0\xcc^\x1b$)C\xbc\xad"
    assert decode_text(raw, "\\ISO 2022 IR 149", "PN") == (
        "Lee^Seo=" + b"\xd7\xdd".decode("euc_kr") + "^" + b"\xdf\xc0".decode("euc_kr") + "=이^서"
    )
    lines = [b"\x1b$)C" + one.encode("euc_kr") for one in ("흉부 CT 조영", "판독 2")]
    assert decode_text(b"\r\n".join(lines), "\\ISO 2022 IR 149", "ST") == "흉부 CT 조영\r\n판독 2"


# PS3.5 Annex J: Chinese without code extensions.
@pytest.mark.parametrize(("term", "codec"), [("ISO_IR 192", "utf_8"), ("GB18030", "gb18030")])
def test_annex_j_chinese_in_unicode_and_in_gb18030(term, codec):
    text = "Li^Ming=李^明=𠀀"
    assert decode_text(text.encode(codec), term, "PN") == text


# PS3.5 Annex K: Chinese with code extensions.
def test_annex_k_gb2312_is_in_g1_beside_ascii():
    raw = b"Li^Ming=\x1b$)A\xc0\xee^\x1b$)A\xc3\xf7="
    assert decode_text(raw, "\\ISO 2022 IR 58", "PN") == "Li^Ming=李^明="
    lines = b"1.\x1b$)A" + "胸部".encode("gb2312") + b"\r\n2.\x1b$)A" + "腹部".encode("gb2312") + b"\r\n"
    assert decode_text(lines, "\\ISO 2022 IR 58", "LT") == "1.胸部\r\n2.腹部\r\n"


def test_the_first_set_is_in_force_again_where_the_standard_says_so_and_nowhere_else():
    korean, label = b"\x1b$)C\xb0\xad", "ISO 2022 IR 100\\ISO 2022 IR 149"
    assert decode_text(b"\xe9^" + korean + b"^\xe9=\xe9", label, "PN") == "é^강^é=é"
    assert decode_text(b"\xe9 " + korean + b"^\xb0\xad\\\xe9", label, "LO") == "é 강^강\\é"
    assert decode_text(korean + b"\\\xb0\xad\n\xe9\t\xe9", label, "LT") == "강\\강\né\té"


def test_sets_may_change_within_one_part():
    raw = b"\x1b-A\xe9\x1b-L\xbf\x1b$)C\xb0\xad\x1b$B;3\x1b(B!"
    assert decode_text(raw, "\\ISO 2022 IR 100\\ISO 2022 IR 144", "LO") == "éП강山!"
    assert decode_text(b"\x1b$)C\x1b$B;3\xb0\xad\x1b(B!", None, "LO") == "山강!"


def test_a_set_that_a_device_named_once_is_read_on_where_the_first_has_no_such_bytes():
    name = b"\x1b$)C\xc8\xab^\xb1\xe6\xb5\xbf"
    assert decode_text(name, "\\ISO 2022 IR 149", "PN") == "홍^길동"
    assert decode_text(b"\x1b-L\xbf\xd5^\xbe\xdb", None, "PN") == "Пе^Ол"


def test_windows_korean_letters_are_read_with_and_without_escapes():
    for label in ("\\ISO 2022 IR 149", "ISO_IR 149", "ISO 2022 IR 149"):
        assert decode_text("뷁^쀍".encode("cp949"), label, "PN") == "뷁^쀍"
        parts = [b"\x1b$)C" + one.encode("cp949") for one in ("뷁", "쀍A")]
        assert decode_text(b"^".join(parts), label, "PN") == "뷁^쀍A"


def test_an_escape_that_is_not_known_stays_visible_without_its_escape_character():
    assert decode_text(b"A\x1b*ZB\x1b", "\\ISO 2022 IR 149") == "A\ufffd*ZB\ufffd"
    assert decode_text(b"\x1b[1mA", "ISO_IR 192") == "\ufffd[1mA"
    assert repair_text("A\x1b$)C\xb0\xad") == "A강"
    assert repair_text("강\x1b(B") == "강\ufffd(B"


@pytest.mark.parametrize(
    "label", ["ISO_IR 100", "ISO IR 100", "ISO-IR 100", "iso_ir_100", "ISOIR100", "ISO 2022 IR 100", "ISO2022 IR 100"]
)
def test_misspelt_terms_mean_what_they_nearly_say(label):
    assert decode_text(b"\xe9\xc9t\xe9", label) == "éÉté"


@given(
    raw=st.one_of(
        st.binary(max_size=40),
        st.lists(
            st.sampled_from([b"\x1b", b"\x1b$)C", b"\x1b$B", b"\x1b(J", b"\x1b$(D", b"\x1b-L"])
            | st.sampled_from([b"^", b"=", b"\\", b"\n"])
            | st.binary(max_size=3),
            max_size=12,
        ).map(b"".join),
    ),
    terms=st.lists(
        st.sampled_from(["", *(f"ISO 2022 IR {one}" for one in (*SINGLE_BYTE, *MULTI_BYTE)), *WITHOUT_EXTENSIONS, "?"])
        | st.text(max_size=8),
        max_size=4,
    ),
    vr=st.sampled_from(["PN", "LO", "LT"]),
)
def test_any_bytes_under_any_terms_give_text_without_escape_and_nul(raw, terms, vr):
    for label in (terms, "\\".join(terms)):
        text = decode_text(raw, label, vr)
        assert not {"\x1b", "\0"} & set(text)
        assert text.encode().decode() == text
    assert "\x1b" not in repair_text(raw.decode("latin_1"))


def _written(dataset, **encoding):
    stream = BytesIO()
    dataset.save_as(stream, **encoding)
    return stream.getvalue()


@pytest.mark.parametrize("is_little_endian", [True, False])
def test_a_header_has_the_same_text_whoever_reads_it(is_little_endian):
    """Big endian is read by pydicom; an item with a set of its own inside one without."""
    inner = Dataset()
    inner.SpecificCharacterSet = ["", "ISO 2022 IR 58"]
    inner.add_new(0x00080104, "LO", b"\x1b$)A" + "胸部".encode("gb2312"))
    dataset = Dataset()
    dataset.SpecificCharacterSet = ["ISO 2022 IR 100", "ISO 2022 IR 149"]
    dataset.add_new(0x00081030, "LO", b"\xe9 \x1b$)C\xc8\xe4\\\xe9 ")
    dataset.add_new(0x00100010, "PN", b"\xe9^\x1b$)C\xb0\xad^\xe9")
    dataset.ProcedureCodeSequence = [inner]
    header = header_json(_written(dataset, implicit_vr=False, little_endian=is_little_endian))
    assert header["00100010"]["Value"] == [{"Alphabetic": "é^강^é"}]
    assert header["00081030"]["Value"] == ["é 흉", "é"]
    assert header["00081032"]["Value"][0]["00080104"]["Value"] == ["胸部"]
