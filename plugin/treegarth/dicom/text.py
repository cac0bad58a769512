"""Turn the bytes of DICOM text into str by its Specific Character Set, and repair the commonest wrong label. Pure.

Sources: PS3.3 C.12.1.1.2 (defined terms), PS3.5 6.1.2 (code extensions by escape sequences). Many devices write UTF-8
and label it ISO_IR 100 or nothing; Latin text that happens to be valid multi-byte UTF-8 does not occur in practice, so
bytes above 0x7F that are valid UTF-8 are taken as UTF-8 under those labels.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Sequence
from functools import lru_cache

from pydicom.charset import TEXT_VR_DELIMS, decode_bytes

SPECIFIC_CHARACTER_SET = 0x00080005
ESCAPE = 0x1B

# PS3.3 Tables C.12-2 to C.12-5; the multi-byte sets without code extensions are C.12-5.
_CODECS = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 203": "iso8859_15",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "tis_620",
    "ISO_IR 87": "iso2022_jp",
    "ISO_IR 159": "iso2022_jp_2",
    "ISO_IR 149": "euc_kr",
    "ISO_IR 58": "gb2312",
    "ISO_IR 192": "utf_8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
_MULTI_BYTE = frozenset({"shift_jis", "euc_kr", "gb2312", "gb18030", "gbk"})
_MISSPELT = re.compile(r"^ISO(?:[ _-]2022)?[ _-]IR[ _-]*(\d+)$")
_LABELS_OFTEN_WRONG = frozenset({"ascii", "latin_1"})


def decode_text(raw: bytes, specific_character_set: str | Sequence[str] | None) -> str:
    """The text of a value of VR SH, LO, ST, LT, PN, UC or UT, without padding and without NUL (no text, and no jsonb).

    Never raises: a byte that cannot be read becomes U+FFFD, where the wrong byte stays visible to a person.
    """
    raw = raw.replace(b"\0", b"").rstrip(b" ")
    if raw.isascii() and ESCAPE not in raw:
        return raw.decode("ascii")
    names = codecs_of(_terms(specific_character_set))
    if ESCAPE in raw:
        return _decode_with_escapes(raw, names)
    return _decode_plain(raw, names)


def character_set(text: str | None, inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of Specific Character Set; an item without one has that around it (PS3.3 C.12.1.1.2)."""
    return inherited if text is None else tuple(text.split("\\"))


def repair_text(text: str) -> str:
    """Undo a Latin-1 reading of UTF-8 bytes in text that something else has decoded; other text comes back as it is."""
    if text.isascii():
        return text
    try:
        return text.encode("latin_1").decode("utf_8")
    except UnicodeError:
        return text


@lru_cache(maxsize=256)
def codecs_of(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Python's codecs for the values of Specific Character Set (0008,0005); an unknown term counts as Latin-1."""
    return tuple(_codec(term) for term in terms) or ("ascii",)


def _codec(term: str) -> str:
    spelled = _MISSPELT.sub(r"ISO_IR \1", term.strip().upper())
    return _CODECS.get(spelled, "latin_1")


def _terms(specific_character_set: str | Sequence[str] | None) -> tuple[str, ...]:
    if not specific_character_set:
        return ()
    if isinstance(specific_character_set, str):
        return tuple(specific_character_set.split("\\"))
    return tuple(str(term or "") for term in specific_character_set)


def _decode_plain(raw: bytes, names: tuple[str, ...]) -> str:
    if names[0] in _LABELS_OFTEN_WRONG:
        as_utf_8 = _strictly(raw, "utf_8")
        if as_utf_8 is not None:
            return as_utf_8
    wanted = [*names[:1], *(name for name in names[1:] if name in _MULTI_BYTE)]
    if "euc_kr" in wanted:
        wanted.append("cp949")  # Windows' superset of EUC-KR, which Korean devices write under the same label
    for name in wanted:
        text = _strictly(raw, name)
        if text is not None:
            return text
    return raw.decode("latin_1" if names[0] in _LABELS_OFTEN_WRONG else names[0], errors="replace")


def _decode_with_escapes(raw: bytes, names: tuple[str, ...]) -> str:
    encodings = [*dict.fromkeys(("latin_1" if name == "ascii" else name) for name in names)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of escape sequences that the label does not announce
        text: str = decode_bytes(raw, encodings, TEXT_VR_DELIMS)
    return text


def _strictly(raw: bytes, name: str) -> str | None:
    try:
        return codecs.decode(raw, name)
    except UnicodeError:
        return None
