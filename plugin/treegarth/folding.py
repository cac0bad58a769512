"""How texts are compared that people search: without capitals, accents and forms of one letter. Pure.

`fold` is what PostgreSQL's function `folded` (revision 0035) makes of a text as well, on every server and in every
locale; a test holds both together. Hangul is composed, full-width and half-width forms are one, ß is ss, İ and ı are i.
"""

from __future__ import annotations

import re
import string
import unicodedata

LETTERS = {
    **{one: one.lower() for one in map(chr, (*range(0x391, 0x3AA), *range(0x402, 0x500))) if one.lower() != one},
    **dict(zip("ØøĐđÐðŁłĦħŦŧıŊŋς", "ooddddllhhttinnσ", strict=True)),
    **dict.fromkeys("‘’ʼ", "'"),
    **dict.fromkeys("‐‑‒–—―", "-"),
}
"""What has no decomposition that says so, of Latin, Greek and Cyrillic."""
SEVERAL = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}

_MARKS = re.compile("[\u0300-\u036f]+")
_TABLE = str.maketrans({**dict(zip(string.ascii_uppercase, string.ascii_lowercase, strict=True)), **LETTERS, **SEVERAL})
_NAME_MARKS = str.maketrans("^=,", "   ")
_WRITTEN_TOGETHER = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")


def fold(text: str) -> str:
    """The text as it is compared."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare.translate(_TABLE))


def words_of(text: str) -> list[str]:
    """The folded words of what somebody looks for: a name as in DICOM (Hong^Gildong) or on a page (Hong, Gildong)."""
    return fold(text).translate(_NAME_MARKS).split()


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def like_pattern(text: str) -> str:
    """A DICOM wildcard match (PS3.4 C.2.2.2.4) as a LIKE pattern with \\ as its escape."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return escaped.replace("*", "%").replace("?", "_")


def is_written_together(text: str) -> bool:
    """Whether the text has Korean, Chinese or Japanese letters, which are written with a space or without."""
    return _WRITTEN_TOGETHER.search(text) is not None


def is_like(text: str, pattern: str) -> bool:
    """Whether a text is the same as another, folded; * and ? in that one stand for what may vary."""
    parts = (re.escape(one) for one in re.split(r"\*+", fold(pattern)))
    return re.fullmatch(".*".join(parts).replace(r"\?", "."), fold(text), re.DOTALL) is not None
