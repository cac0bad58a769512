"""Radionuclides by one name, whatever scheme or spelling a device has for them. Pure.

Codes of SCT and SRT are those of PS3.16 CID 18 and 4020; words are read as devices write them: "F-18", "18F",
"^18^Fluorine", "Tc99m", "Technetium Tc^99m^".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

ELEMENTS = {
    "carbon": "C", "nitrogen": "N", "oxygen": "O", "fluorine": "F", "sodium": "Na", "phosphorus": "P", "potassium": "K",
    "calcium": "Ca", "chromium": "Cr", "iron": "Fe", "cobalt": "Co", "copper": "Cu", "zinc": "Zn", "gallium": "Ga",
    "selenium": "Se", "bromine": "Br", "krypton": "Kr", "rubidium": "Rb", "strontium": "Sr", "yttrium": "Y",
    "zirconium": "Zr", "technetium": "Tc", "ruthenium": "Ru", "indium": "In", "iodine": "I", "xenon": "Xe",
    "samarium": "Sm", "gadolinium": "Gd", "erbium": "Er", "lutetium": "Lu", "rhenium": "Re", "gold": "Au",
    "thallium": "Tl", "radium": "Ra", "actinium": "Ac", "bismuth": "Bi", "scandium": "Sc", "terbium": "Tb",
    "holmium": "Ho", "manganese": "Mn", "titanium": "Ti", "mercury": "Hg", "lead": "Pb", "astatine": "At",
}  # fmt: skip
_SYMBOLS = {symbol.lower(): symbol for symbol in ELEMENTS.values()}
_WORDS = "|".join(sorted({*ELEMENTS, *_SYMBOLS}, key=len, reverse=True))
_FORMS = (
    re.compile(rf"(?:^|[^a-z])(?P<element>{_WORDS})[\s\-^]*(?P<mass>\d{{1,3}}m?)\^?(?![a-z0-9])", re.IGNORECASE),
    re.compile(rf"(?:^|[^a-z0-9])\^?(?P<mass>\d{{1,3}}m?)\^?[\s\-]*(?P<element>{_WORDS})(?![a-z])", re.IGNORECASE),
)


def nuclide_of(code: object, words: object = None) -> str | None:
    """`F-18` by the code of the nuclide, else by the words of its code or of the product; the code's own words, in
    capitals, where no element is in them; None where nothing is said."""
    if isinstance(code, Mapping):
        scheme, value = str(code.get("scheme", "")), str(code.get("code", ""))
        value = mapping["SRT"].get(value, value) if scheme in ("SRT", "SNM3", "99SDM") else value
        meaning = str(code.get("meaning") or "")
        return _by_code().get(value) or _by_words(meaning) or meaning.strip().upper() or value or None
    if isinstance(words, str) and words.strip():
        return _by_words(words)
    return None


def meaning_of(nuclide: str) -> str | None:
    """The standard's words for `F-18`: `^18^Fluorine`."""
    return _meanings().get(nuclide)


def _by_words(words: str) -> str | None:
    for form in _FORMS:
        found = form.search(words)
        if found is not None:
            element = found["element"].lower()
            return f"{ELEMENTS.get(element) or _SYMBOLS[element]}-{found['mass'].lower()}"
    return None


@functools.cache
def _by_code() -> Mapping[str, str]:
    """SCT codes of the nuclides of CID 18 and 4020."""
    found = {}
    for name in {*cid_concepts[18]["SCT"], *cid_concepts[4020]["SCT"]}:
        for value, (meaning, _) in concepts["SCT"][name].items():
            nuclide = _by_words(meaning)
            if nuclide is not None:
                found[value] = nuclide
    return found


@functools.cache
def _meanings() -> Mapping[str, str]:
    names = sorted({*cid_concepts[18]["SCT"], *cid_concepts[4020]["SCT"]})
    meanings = (meaning for name in names for meaning, _ in concepts["SCT"][name].values())
    return {nuclide: meaning for meaning in meanings if (nuclide := _by_words(meaning)) is not None}
