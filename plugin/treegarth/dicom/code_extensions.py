"""Read text whose sets are switched by escape sequences: ISO 2022 as DICOM uses it (PS3.5 6.1.2.4, 6.1.2.5). Pure.

An escape sequence puts a set into G0 (bytes 21-7E) or G1 (bytes A0-FF). Every sequence of PS3.3 Tables C.12-3 and
C.12-4 is known, announced by Specific Character Set or not, and those of the same sets in the other half. One that is
not known stays in the text as U+FFFD and what follows it: nothing is dropped, and no ESC remains.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from treegarth.dicom.character_sets import read_strictly

ESCAPE = 0x1B
_SEQUENCE = re.compile(rb"\x1b([\x20-\x2f]{1,3}[\x30-\x7e])")

# Sets of 96 characters, always in G1 (Table C.12-3).
_G1_OF_96 = {
    b"-A": "latin_1",
    b"-B": "iso8859_2",
    b"-C": "iso8859_3",
    b"-D": "iso8859_4",
    b"-F": "iso8859_7",
    b"-G": "iso8859_6",
    b"-H": "iso8859_8",
    b"-L": "iso8859_5",
    b"-M": "iso8859_9",
    b"-T": "iso8859_11",
    b"-b": "iso8859_15",
}
_G1 = {
    **_G1_OF_96,
    b")I": "shift_jis",  # JIS X 0201 katakana
    b"$)C": "euc_kr",  # KS X 1001
    b"$)A": "gb2312",
    b"$)B": "euc_jp",  # JIS X 0208, which DICOM has in G0 only
}
# In G0 a pair of bytes is the same pair with the high bits set, of a codec that has the set there.
_G0_OF_PAIRS = {
    b"$B": "euc_jp",  # JIS X 0208
    b"$@": "euc_jp",  # its edition of 1978
    b"$(B": "euc_jp",
    b"$(D": "jis_x_0212",
    b"$(C": "euc_kr",
    b"$A": "gb2312",
    b"$(A": "gb2312",
}
_G0_OF_BYTES = {
    b"(B": None,  # ASCII
    b"(J": None,  # JIS X 0201 romaji; its 5C is the same delimiter (PS3.5 6.1.2.5.3), whatever sign it looks like
    b"(I": "katakana",
}
_THIRD_SET = b"\x8f"  # EUC-JP has JIS X 0212 behind it
_HIGH = bytes.maketrans(bytes(range(0x21, 0x7F)), bytes(range(0xA1, 0xFF)))
_PIECES_OF_PAIRS = re.compile(
    rb"(?P<reset>[\x00-\x1f])|(?P<pairs>(?:[\x21-\x7e]{2})+)|(?P<low>[\x20-\x7f])|(?P<high>[\x80-\xff]+)"
)
_KATAKANA = re.compile(rb"[\x21-\x5f]+")

Plainly = Callable[[bytes, tuple[str, ...]], str]
"""The text of bytes in the set that is in force at the beginning, and the sets that were in G1 before, last first."""


def decode_extended(raw: bytes, resets: re.Pattern[bytes], plainly: Plainly) -> str:
    """The text of a value with escape sequences; at `resets` the first set is in force again (PS3.5 6.1.2.5.3)."""
    reader = _Reader(resets, plainly)
    place = 0
    for found in _SEQUENCE.finditer(raw):
        reader.read(raw[place : found.start()])
        reader.switch(found[1])
        place = found.end()
    reader.read(raw[place:])
    return "".join(reader.texts).replace("\x1b", "\ufffd")


class _Reader:
    def __init__(self, resets: re.Pattern[bytes], plainly: Plainly) -> None:
        self.resets, self.plainly = resets, plainly
        self.g0: str | None = None
        self.g1: str | None = None  # of the first set
        self.before: tuple[str, ...] = ()
        self.texts: list[str] = []

    def switch(self, sequence: bytes) -> None:
        if sequence in _G1:
            self.g1 = _G1[sequence]
            self.before = (self.g1, *(name for name in self.before if name != self.g1))
        elif sequence in _G0_OF_PAIRS:
            self.g0 = _G0_OF_PAIRS[sequence]
        elif sequence in _G0_OF_BYTES:
            self.g0 = _G0_OF_BYTES[sequence]
        else:
            self.texts.append("\ufffd" + sequence.decode("ascii"))

    def read(self, raw: bytes) -> None:
        """A piece without escape sequences."""
        while raw and (self.g0 is not None or self.g1 is not None):
            raw = self._read_pairs(raw) if self.g0 not in (None, "katakana") else self._read_bytes(raw)
        if raw:
            self.texts.append(self.plainly(raw, self.before))

    def _read_bytes(self, raw: bytes) -> bytes:
        """Up to the next reset; what is behind it."""
        end = self.resets.search(raw)
        mine = raw if end is None else raw[: end.start()]
        if self.g0 == "katakana":
            mine = _KATAKANA.sub(lambda found: found[0].translate(_HIGH), mine)
            self.texts.append(_read(mine, "shift_jis"))
        elif mine:
            self.texts.append(self._high(mine))
        if end is None:
            return b""
        self._reset()
        self.texts.append(end[0].decode("ascii"))
        return raw[end.end() :]

    def _read_pairs(self, raw: bytes) -> bytes:
        """Up to the next control character, or a delimiter that stands where no pair does; what is behind it."""
        for piece in _PIECES_OF_PAIRS.finditer(raw):
            if piece["pairs"]:
                self.texts.append(_pairs(piece[0], self.g0 or ""))
            elif piece["high"]:
                self.texts.append(self._high(piece[0]))
            else:
                self.texts.append(piece[0].decode("ascii"))
                if piece["reset"] or self.resets.match(piece[0]):
                    self._reset()
                    return raw[piece.end() :]
        return b""

    def _high(self, raw: bytes) -> str:
        return self.plainly(raw, self.before) if self.g1 is None else _read(raw, self.g1)

    def _reset(self) -> None:
        self.g0 = self.g1 = None


def _pairs(raw: bytes, name: str) -> str:
    high = raw.translate(_HIGH)
    if name != "jis_x_0212":
        return _read(high, name)
    return _read(b"".join(_THIRD_SET + high[at : at + 2] for at in range(0, len(high), 2)), "euc_jp")


def _read(raw: bytes, name: str) -> str:
    text = read_strictly(raw, name)
    if text is None:
        text = read_strictly(raw, "utf_8")
    return raw.decode(name, "replace") if text is None else text
