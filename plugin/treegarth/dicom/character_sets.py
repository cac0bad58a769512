"""The values of Specific Character Set (0008,0005), and which codecs of Python read each. Pure.

Sources: PS3.3 C.12.1.1.2, Tables C.12-2 (single byte), C.12-3 and C.12-4 (code extensions), C.12-5 (multi-byte
without code extensions). Devices misspell the terms and write names of other encodings; those that are met are read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

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
    "ISO_IR 166": "iso8859_11",  # TIS 620-2533
    "ISO_IR 149": "euc_kr",
    "ISO_IR 58": "gb2312",
    "ISO_IR 192": "utf_8",
    "GB18030": "gb18030",
    "GBK": "gbk",
    # No defined terms: of G0 only, so that a value that is first means that ASCII is in force (PS3.5 6.1.2.5.1) ...
    "ISO_IR 14": "shift_jis",
    "ISO_IR 87": "ascii",
    "ISO_IR 159": "ascii",
    # ... and what devices write although DICOM does not know it.
    "GB2312": "gb2312",
    "UTF-8": "utf_8",
    "UTF8": "utf_8",
    "EUC-KR": "euc_kr",
    "CP949": "cp949",
    "SHIFT_JIS": "shift_jis",
    "EUC-JP": "euc_jp",
    "BIG5": "big5",
    "KOI8-R": "koi8_r",
    **{f"WINDOWS-{number}": f"cp{number}" for number in range(1250, 1259)},
}
_MISSPELT = re.compile(r"^ISO(?:[ _-]*2022)?[ _-]*IR[ _-]*(\d+)$")
_OF_CP_1234 = re.compile(r"^ISO[ _]2022[ _](?=GBK$|58$)")  # terms of an older correction of DICOM

# What devices write under the label of the set that it extends: Windows' code pages, rows that JIS added later.
_SUPERSETS = {
    "euc_kr": ("cp949",),
    "gb2312": ("gbk", "gb18030"),
    "gbk": ("gb18030",),
    "shift_jis": ("cp932",),
    "euc_jp": ("euc_jis_2004",),
    "big5": ("cp950",),
}
DOUBLE_BYTE = frozenset({"euc_kr", "cp949", "gb2312", "gbk", "gb18030", "shift_jis", "euc_jp", "big5"})


@dataclass(frozen=True, slots=True)
class CharacterSets:
    """The codec of the first value, which is in force where no escape sequence says otherwise, and of those behind."""

    first: str
    others: tuple[str, ...]


def character_sets(specific_character_set: str | Sequence[str] | None) -> CharacterSets:
    """What the values of Specific Character Set mean; an unknown term counts as Latin-1."""
    return _sets(terms_of(specific_character_set))


def terms_of(specific_character_set: str | Sequence[str] | None) -> tuple[str, ...]:
    """The values of Specific Character Set as a text with backslashes, or one by one."""
    if not specific_character_set:
        return ()
    if isinstance(specific_character_set, str):
        return tuple(specific_character_set.split("\\"))
    return tuple(str(term or "") for term in specific_character_set)


def codec_of(term: str) -> str | None:
    """Python's codec for one value; None for an unknown term."""
    spelled = term.strip(" \0").upper()
    short = _OF_CP_1234.sub("", spelled)
    return _CODECS.get(_MISSPELT.sub(r"ISO_IR \1", "ISO_IR 58" if short == "58" else short))


@lru_cache(maxsize=256)
def _sets(terms: tuple[str, ...]) -> CharacterSets:
    names = [codec_of(term) or "latin_1" for term in terms] or ["ascii"]
    return CharacterSets(names[0], tuple(name for name in dict.fromkeys(names[1:]) if name not in ("ascii", names[0])))


def read_strictly(raw: bytes, name: str) -> str | None:
    """The text in a codec, or in one that extends it; None where some byte has no meaning in either."""
    for one in (name, *_SUPERSETS.get(name, ())):
        try:
            return codecs.decode(raw, one)
        except UnicodeError:
            continue
    return None
