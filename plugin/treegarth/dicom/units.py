"""Read a UCUM unit (PS3.16, units CIDs) by its code value and convert numbers exactly. Pure.

The code value decides; the meaning never does, nor the scheme ("UCM" is met for UCUM). Beside UCUM's grammar, the
run-together spellings of real devices are read ("Gym2", "mGycm", "uAs"): only when exactly one division into two known
units exists. So are a blank or a hyphen between two units ("mGy cm", "mGy-cm"), other signs of multiplication, raised
digits ("Gy·cm²") and spelt-out words. Anything else is an UnknownUnit, which the caller records; a unit is never
assumed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isinf

from treegarth.errors import TreegarthError
from treegarth.phrases import P_


class UnknownUnit(TreegarthError):
    """The unit of a number is unknown, or cannot be converted to the unit that is asked for."""


class NotANumber(TreegarthError):
    """The text is no finite decimal number (PS3.5 6.2, VR DS)."""


Dimension = tuple[tuple[str, int], ...]
"""Base units with their exponents, sorted: (("Gy", 1), ("m", 2))."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor to the base units of a dimension."""

    factor: Decimal
    dimension: Dimension


# UCUM base: what dose reports use, each with its value in the base unit of its dimension.
_ATOMS: dict[str, tuple[str, str, bool]] = {
    "Gy": ("1", "Gy", True),
    "Sv": ("1", "Sv", True),
    "m": ("1", "m", True),
    "s": ("1", "s", True),
    "A": ("1", "A", True),
    "V": ("1", "V", True),
    "N": ("1", "N", True),
    "Pa": ("1", "Pa", True),
    "g": ("1", "g", True),
    "Bq": ("1", "Bq", True),
    "Ci": ("3.7E10", "Bq", True),
    "L": ("0.001", "m3", True),
    "l": ("0.001", "m3", True),
    "eV": ("1", "eV", True),
    "Hz": ("1", "s-1", True),
    "min": ("60", "s", False),
    "h": ("3600", "s", False),
    "d": ("86400", "s", False),
    "wk": ("604800", "s", False),
    "mo": ("2629800", "s", False),
    "a": ("31557600", "s", False),
    "deg": ("1", "deg", False),
    "%": ("0.01", "", False),
    "1": ("1", "", False),
    "[hnsf'U]": ("1", "HU", False),
    "[in_i]": ("0.0254", "m", False),
    "[lb_av]": ("453.59237", "g", False),
    "[pi]": ("3.141592653589793", "", False),
}
_PREFIXES = {
    "G": "1E9", "M": "1E6", "k": "1E3", "h": "1E2", "d": "1E-1", "c": "1E-2", "m": "1E-3", "u": "1E-6",
    "µ": "1E-6", "μ": "1E-6", "n": "1E-9", "p": "1E-12",
}  # fmt: skip

# Not UCUM, met in real reports: the word for a pure number that belongs in braces, and other spellings of one unit.
_WORDS = {
    "no units": "1",
    "ratio": "1",
    "events": "1",
    "X-ray sources": "1",
    "X-Ray sources": "1",
    "pulse": "1",
    "pulses": "1",
    "frames": "1",
    "images": "1",
    "kVp": "kV",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "msec": "ms",
    "usec": "us",
    "μsec": "us",
    "minute": "min",
    "minutes": "min",
    "°": "deg",
    "degree": "deg",
    "degrees": "deg",
    "ml": "mL",
    "year": "a",
    "years": "a",
}

_TERM = re.compile(r"(?P<symbol>\[[^\]]*\]|%|°|[A-Za-zµμ]+|1(?!\d))\^?(?P<exponent>[+-]?\d+)?$")
_SIGNS = re.compile(r"([./*·⋅∙×])")
"""Signs of multiplication and division between terms."""
_GAP = re.compile(r"\s+|(?<=[A-Za-z0-9])-(?=[A-Za-zμ])")
"""A blank or a hyphen that stands for a multiplication: not the sign of an exponent, as in s-1."""
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")


def number_of(text: str) -> Decimal:
    """The decimal number that a DS value writes, and a float can hold. Raises NotANumber."""
    stripped = text.strip(" \0")
    if not _DECIMAL.match(stripped):
        raise NotANumber(P_("“%(text)s” is no decimal number", text=stripped[:32]))
    try:
        number = Decimal(stripped)
    except InvalidOperation as error:  # an exponent beyond what Decimal counts
        raise NotANumber(P_("“%(text)s” is no decimal number", text=stripped[:32])) from error
    float_of(number, stripped)
    return number


def convert(text: str, unit: str, wanted: str) -> float:
    """The number in `text`, coded in `unit`, in the unit `wanted`. Raises NotANumber or UnknownUnit."""
    number = number_of(text)
    if unit == wanted:
        return float(number)
    given, target = unit_of(unit), unit_of(wanted)
    if given.dimension != target.dimension:
        raise UnknownUnit(P_("a number in “%(unit)s” is no number in “%(wanted)s”", unit=unit, wanted=wanted))
    return float_of(number * given.factor / target.factor, text)


def float_of(number: Decimal, text: str) -> float:
    """The number as it is kept. Raises NotANumber where that would be infinite, or 0 where it is not."""
    kept = float(number)
    if isinf(kept):
        raise NotANumber(P_("“%(text)s” is too large to be a measurement", text=text[:32]))
    if kept == 0 and number != 0:
        raise NotANumber(P_("“%(text)s” is too small to be told from 0", text=text[:32]))
    return kept


@lru_cache(maxsize=1024)
def unit_of(code_value: str) -> Unit:
    """The unit that a code value means. Raises UnknownUnit."""
    text = re.sub(r"\{[^}]*\}", "1", unicodedata.normalize("NFKC", code_value).strip())
    text = _WORDS.get(text, text)
    if not text:
        raise UnknownUnit(P_("the unit is not given"))
    factor, exponents = Decimal(1), dict[str, int]()
    for sign, term in _terms(text):
        scale, dimension = _term(term, code_value)
        factor = factor * scale if sign > 0 else factor / scale
        for base, exponent in dimension.items():
            exponents[base] = exponents.get(base, 0) + sign * exponent
    return Unit(factor, tuple(sorted((base, exponent) for base, exponent in exponents.items() if exponent)))


def _terms(text: str) -> list[tuple[int, str]]:
    """The terms of a unit with +1 for a factor and -1 for a divisor: '.', '*', a blank and a hyphen multiply, '/'
    divides what follows."""
    found, sign = [], 1
    for piece in _SIGNS.split(text):
        if piece == "/":
            sign = -1
        elif _SIGNS.fullmatch(piece):
            sign = 1
        else:
            found += [(sign, _WORDS.get(term, term)) for term in _factors(piece.strip())]
    return found


def _factors(piece: str) -> list[str]:
    """Of what stands between two signs the units; "X-ray sources" is one word."""
    return [piece] if piece in _WORDS else [term for term in _GAP.split(piece) if term]


def _term(term: str, whole: str) -> tuple[Decimal, dict[str, int]]:
    match = _TERM.match(term)
    if match is None:
        raise UnknownUnit(P_("the unit “%(unit)s” is unknown", unit=whole[:32]))
    symbol, exponent = match["symbol"], int(match["exponent"] or 1)
    atom = _atom(symbol)
    if atom is not None:
        scale, base = atom
        return _power(scale, exponent), _dimension(base, exponent)
    return _run_together(symbol, exponent, whole)


def _run_together(symbol: str, exponent: int, whole: str) -> tuple[Decimal, dict[str, int]]:
    """'Gym2' is Gy·m², 'mGycm' is mGy·cm: the exponent belongs to the last unit."""
    ways = [
        (first, last)
        for cut in range(1, len(symbol))
        if (first := _atom(symbol[:cut])) is not None and (last := _atom(symbol[cut:])) is not None
        and first[1] != last[1]
    ]  # fmt: skip
    meanings = {(first[0] * _power(last[0], exponent), first[1], last[1]) for first, last in ways}
    if len(meanings) != 1:
        raise UnknownUnit(P_("the unit “%(unit)s” is unknown", unit=whole[:32]))
    (scale, first_base, last_base) = meanings.pop()
    dimension = _dimension(first_base, 1)
    for base, power in _dimension(last_base, exponent).items():
        dimension[base] = dimension.get(base, 0) + power
    return scale, dimension


def _atom(symbol: str) -> tuple[Decimal, str] | None:
    if symbol in _ATOMS:
        factor, base, _ = _ATOMS[symbol]
        return Decimal(factor), base
    prefix, rest = symbol[:1], symbol[1:]
    if prefix in _PREFIXES and rest in _ATOMS and _ATOMS[rest][2]:
        factor, base, _ = _ATOMS[rest]
        return Decimal(_PREFIXES[prefix]) * Decimal(factor), base
    return None


def _dimension(base: str, exponent: int) -> dict[str, int]:
    """The base unit with its power: 'm3' to the first is m³, 's-1' is 1/s."""
    if not base:
        return {}
    match = re.match(r"([A-Za-z]+)(-?\d+)?$", base)
    if match is None:
        raise UnknownUnit(P_("the unit “%(unit)s” is unknown", unit=base))
    return {match[1]: int(match[2] or 1) * exponent}


def _power(scale: Decimal, exponent: int) -> Decimal:
    if abs(exponent) > 9:
        raise UnknownUnit(P_("an exponent above 9 is no unit of a measurement"))
    return scale**exponent
