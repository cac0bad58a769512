"""Turn the bytes of DICOM text into str by its Specific Character Set, and repair the commonest wrong label. Pure.

Sources: PS3.3 C.12.1.1.2 (defined terms), PS3.5 6.1.2 (code extensions by escape sequences). Many devices write UTF-8
and label it ISO_IR 100 or nothing; Latin text that happens to be valid multi-byte UTF-8 does not occur in practice, so
bytes above 0x7F that are valid UTF-8 are taken as UTF-8 under those labels. Under any other label they are where a
letter of three bytes, or a byte that the label's set does not use, shows that they are nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from treegarth.dicom.character_sets import DOUBLE_BYTE, CharacterSets, character_sets, read_strictly
from treegarth.dicom.code_extensions import ESCAPE, decode_extended

SPECIFIC_CHARACTER_SET = 0x00080005
TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Of which Specific Character Set says how they are read (PS3.5 6.1.2.3)."""

_LABELS_OFTEN_WRONG = frozenset({"ascii", "latin_1"})
_UNUSED_BY_ISO_8859 = re.compile(rb"[\x80-\x9f]")
_LETTER_OF_THREE_BYTES = re.compile("[\u0800-\U0010ffff]")

# Where the first set is in force again (PS3.5 6.1.2.5.3): at control characters, between values, and within names.
_RESETS = re.compile(rb"[\x00-\x1f\\]")
_RESETS_BY_VR = {
    "PN": re.compile(rb"[\x00-\x1f\\^=]"),
    **dict.fromkeys(("LT", "ST", "UT"), re.compile(rb"[\x00-\x1f]")),  # of one value
}


def decode_text(raw: bytes, specific_character_set: str | Sequence[str] | None, vr: str = "LO") -> str:
    """The text of a value of VR SH, LO, ST, LT, PN, UC or UT, without padding and without NUL (no text, and no jsonb).

    Never raises, and leaves no ESC: a byte that cannot be read becomes U+FFFD, where it stays visible to a person.
    """
    raw = raw.replace(b"\0", b"").rstrip(b" ")
    if raw.isascii() and ESCAPE not in raw:
        return raw.decode("ascii")
    sets = character_sets(specific_character_set)
    if ESCAPE not in raw:
        return _decode_plain(raw, sets)
    return decode_extended(raw, _RESETS_BY_VR.get(vr, _RESETS), lambda part, before: _decode_plain(part, sets, before))


def character_set(text: str | None, inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of Specific Character Set; an item without one has that around it (PS3.3 C.12.1.1.2)."""
    return inherited if text is None else tuple(text.split("\\"))


def repair_text(text: str) -> str:
    """Undo a Latin-1 reading of other bytes in text that something else has decoded: of UTF-8, and of what has escape
    sequences. Other text comes back as it is."""
    if text.isascii() and "\x1b" not in text:
        return text
    try:
        raw = text.encode("latin_1")
    except UnicodeError:
        return text.replace("\x1b", "\ufffd")
    if ESCAPE in raw:
        return decode_text(raw, None)
    found = read_strictly(raw, "utf_8")
    return text if found is None else found


def _decode_plain(raw: bytes, sets: CharacterSets, before: tuple[str, ...] = ()) -> str:
    """The text of bytes without escape sequences, in the first set unless it cannot be; `before`: sets that escape
    sequences named earlier in the value, as devices forget to repeat them."""
    if raw.isascii():
        return raw.decode("ascii")
    as_utf_8 = read_strictly(raw, "utf_8")
    if as_utf_8 is not None and _is_utf_8(raw, as_utf_8, sets, before):
        return as_utf_8
    later = dict.fromkeys((*before, *sets.others))
    for name in (*(() if sets.first == "ascii" else (sets.first,)), *later):
        text = read_strictly(raw, name)
        if text is not None:
            return text
    if as_utf_8 is not None:
        return as_utf_8
    return raw.decode("latin_1" if sets.first in _LABELS_OFTEN_WRONG else sets.first, errors="replace")


def _is_utf_8(raw: bytes, text: str, sets: CharacterSets, before: tuple[str, ...]) -> bool:
    """Whether bytes that can be read as UTF-8 are it, whatever their label says."""
    first = sets.first
    if first == "utf_8":
        return True
    if first in _LABELS_OFTEN_WRONG:
        is_told = first == "ascii" and (before or not DOUBLE_BYTE.isdisjoint(sets.others))
        return not is_told or _LETTER_OF_THREE_BYTES.search(text) is not None
    if first in DOUBLE_BYTE:
        return _LETTER_OF_THREE_BYTES.search(text) is not None
    return first.startswith("iso8859") and _UNUSED_BY_ISO_8859.search(raw) is not None
