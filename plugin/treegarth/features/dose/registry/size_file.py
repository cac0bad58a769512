"""Read a CSV file with sizes and weights of patients, line by line: what each says, or why it is not taken. Pure.

A number is read in one way only or not at all: what could mean two things is refused with its line. The file says which
line is meant: of a field with line breaks the first one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from treegarth.errors import InvalidRequest
from treegarth.limits import storable
from treegarth.phrases import P_

SizeUnit: TypeAlias = Literal["m", "cm"]
Field: TypeAlias = Literal["study_instance_uid", "accession_number", "patient_id", "patient_size", "patient_weight"]

LEAST_SIZE_M, GREATEST_SIZE_M = 0.2, 2.8
LEAST_WEIGHT_KG, GREATEST_WEIGHT_KG = 0.2, 650.0
LEAST_INDEX, GREATEST_INDEX = 2.0, 200.0
"""Between what a size, a weight and the weight by the square of the size (kg/m²) are believed: wider than any person,
from the smallest newborns on. They find a wrong unit, swapped columns and numbers that stand for "unknown"."""

MOST_LINES = 200_000
LONGEST_FIELD = 300
LONGEST_BEGINNING = 100_000
"""Characters within which the headings stand."""
SHOWN_TEXT = 200
"""Characters of a line that a page repeats."""

HEADINGS: Mapping[str, Field] = {
    **dict.fromkeys(("studyinstanceuid", "studyuid", "검사uid"), "study_instance_uid"),
    **dict.fromkeys(("accessionnumber", "accession", "accessionno", "접수번호", "검사번호"), "accession_number"),
    **dict.fromkeys(("patientid", "환자id", "환자번호", "등록번호"), "patient_id"),
    **dict.fromkeys(("patientsize", "size", "patientheight", "height", "키", "신장", "환자키"), "patient_size"),
    **dict.fromkeys(("patientweight", "weight", "체중", "몸무게", "환자체중"), "patient_weight"),
}
"""Headings without blanks, signs and units, in small letters."""
KEYS: tuple[Field, ...] = ("study_instance_uid", "accession_number")
VALUES: tuple[Field, ...] = ("patient_size", "patient_weight")
DELIMITERS = ",;\t"

_UNIT = re.compile(r"[\s_(\[/]+(cm|m|kg|g|lb|lbs|in|inch|ft|mm)[\s)\]]*$")
_SIGNS = re.compile(r"[\s_.()\[\]/-]+")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?")
_DECIMAL_COMMA = re.compile(r"[0-9]{1,4},[0-9]{1,2}")
_COMMA = re.compile(r"[0-9.]*,[0-9.,]*")
_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]+")
_UID = re.compile(r"[0-9.]{1,64}")


class NoSizeFile(InvalidRequest):
    """The file as a whole is not such a file."""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Which column is what; `ignored` are the headings of the others."""

    columns: Mapping[Field, int]
    factor_m: float  # of the size as written
    delimiter: str
    ignored: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SizeLine:
    """A line of the file; with a `problem` (a phrase) it is not taken."""

    line: int  # from 1, as editors count
    text: str
    study_instance_uid: str | None = None
    accession_number: str | None = None
    patient_id: str | None = None
    patient_size_m: float | None = None
    patient_weight_kg: float | None = None
    problem: str | None = None

    @property
    def key(self) -> tuple[str | None, str | None, str | None]:
        """Of which study."""
        return self.study_instance_uid, self.accession_number, self.patient_id


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 by its mark, else UTF-8, else CP949 as Excel in Korean writes it.

    Raises NoSizeFile where it is none of them.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NoSizeFile(P_("The file is neither UTF-8 nor CP949: save it as “CSV UTF-8”."))


def heading_of(text: str, size_unit: SizeUnit | None = None) -> Heading:
    """What the first line says. `size_unit` is what a person says of a heading without a unit.

    Raises NoSizeFile with what is missing.
    """
    first, _ = _first_line(text)
    delimiter = max(DELIMITERS, key=first.count)
    names = _headings(first, delimiter)
    columns: dict[Field, int] = {}
    units: dict[Field, str] = {}
    ignored = []
    for place, name in enumerate(names):
        field, unit = _meant(name)
        if field is None:
            ignored += [storable(name.strip())[:LONGEST_FIELD]] if name.strip() else []
        elif field in columns:
            raise NoSizeFile(P_("Two columns are “%(name)s”.", name=storable(name.strip())[:LONGEST_FIELD]))
        else:
            columns[field], units[field] = place, unit
    if not any(one in columns for one in KEYS):
        raise NoSizeFile(P_("No column says which study: accession_number or study_instance_uid."))
    if not any(one in columns for one in VALUES):
        raise NoSizeFile(P_("No column has a size or a weight: patient_size_m, patient_size_cm or patient_weight_kg."))
    factor = _factor(units, size_unit)
    return Heading(columns=columns, factor_m=factor, delimiter=delimiter, ignored=tuple(ignored))


def _headings(first: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([first], delimiter=delimiter), []) if first.strip() else []
    except csv.Error:
        raise NoSizeFile(P_("No column says which study: accession_number or study_instance_uid.")) from None


def _factor(units: Mapping[Field, str], size_unit: SizeUnit | None) -> float:
    if units.get("patient_weight", "") not in ("", "kg"):
        raise NoSizeFile(P_("A weight is in kg: the heading says “%(unit)s”.", unit=units["patient_weight"]))
    if "patient_size" not in units:
        return 1.0
    said = units["patient_size"]
    if said not in ("", "m", "cm"):
        raise NoSizeFile(P_("A size is in m or cm: the heading says “%(unit)s”.", unit=said))
    if said and size_unit and said != size_unit:
        raise NoSizeFile(P_("The heading says %(one)s, and the form %(other)s.", one=said, other=size_unit))
    if not (said or size_unit):
        raise NoSizeFile(
            P_("The heading does not say whether the size is in m or cm: write patient_size_cm, or choose the unit.")
        )
    return 0.01 if (said or size_unit) == "cm" else 1.0


def _meant(name: str) -> tuple[Field | None, str]:
    """Which field a heading is, and its unit."""
    small = name.strip().strip("\ufeff").casefold()
    found = _UNIT.search(small)
    unit, bare = (found[1], small[: found.start()]) if found else ("", small)
    return HEADINGS.get(_SIGNS.sub("", bare)), unit


def _lines_of(text: str) -> list[str]:
    """As editors count them: what other signs part, such as a line separator in a remark, is one line."""
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _first_line(text: str) -> tuple[str, int]:
    """The line of the headings, and how many lines stand before it: Excel's `sep=;` is none."""
    lines = _lines_of(text[:LONGEST_BEGINNING])
    before = 1 if lines and lines[0].strip().casefold().startswith("sep=") else 0
    return (lines[before] if len(lines) > before else ""), before


def read_lines(text: str, heading: Heading) -> list[SizeLine]:
    """Every line that says something, in order. Two of one study that say different things are both not taken.

    Raises NoSizeFile where there are none, or too many, or quotation marks do not end.
    """
    found: list[SizeLine] = []
    seen: dict[object, int] = {}
    for one in _each(text, heading):
        if len(found) == MOST_LINES:
            raise NoSizeFile(P_("The file has more than %(most)s lines: send it in parts.", most=MOST_LINES))
        place = seen.setdefault(one.key, len(found)) if one.problem is None else len(found)
        if place == len(found):
            found.append(one)
            continue
        first = found[place]
        if (first.patient_size_m, first.patient_weight_kg) == (one.patient_size_m, one.patient_weight_kg):
            found.append(replace(one, problem=P_("It says the same as line %(line)s.", line=first.line)))
            continue
        found.append(replace(one, problem=_contradicts(first)))
        found[place] = replace(first, problem=_contradicts(one)) if first.problem is None else first
    if not found:
        raise NoSizeFile(P_("The file has no line below its headings."))
    return found


def _contradicts(other: SizeLine) -> str:
    return P_("Line %(line)s says something else of this study: neither is taken.", line=other.line)


def _each(text: str, heading: Heading) -> Iterator[SizeLine]:
    _, before = _first_line(text)
    reader = csv.reader((f"{one}\n" for one in _lines_of(text)[before + 1 :]), delimiter=heading.delimiter, strict=True)
    line = before + 2
    try:
        for fields in reader:
            if any(one.strip() for one in fields):
                yield _line(line, fields, heading)
            line = before + 2 + reader.line_num
    except csv.Error:
        raise NoSizeFile(
            P_(
                "Line %(line)s cannot be read: a quotation mark in it does not end, or stands within a value, or it is"
                " longer than a line of such a file is.",
                line=line,
            )
        ) from None


def _line(number: int, fields: Sequence[str], heading: Heading) -> SizeLine:
    text = storable(heading.delimiter.join(fields))[:SHOWN_TEXT]
    given = {name: fields[place].strip() for name, place in heading.columns.items() if place < len(fields)}
    try:
        return SizeLine(line=number, text=text, **_keys(given), **_values(given, heading))  # type: ignore[arg-type]
    except _NotTaken as refused:
        return SizeLine(line=number, text=text, problem=refused.said)


class _NotTaken(Exception):
    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def _keys(given: Mapping[Field, str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in ("study_instance_uid", "accession_number", "patient_id"):
        value = given.get(name) or None
        if value is not None and (len(value) > LONGEST_FIELD or storable(value) != value):
            raise _NotTaken(P_("“%(text)s” cannot be an identifier.", text=storable(value)[:40]))
        if value is not None and _SHORTENED.fullmatch(value):
            raise _NotTaken(P_("“%(text)s” was shortened by a spreadsheet: format the column as text.", text=value))
        found[name] = value
    uid = found["study_instance_uid"]
    if uid is not None and not _UID.fullmatch(uid):
        raise _NotTaken(P_("“%(text)s” is no Study Instance UID.", text=uid[:64]))
    if uid is None and found["accession_number"] is None:
        raise _NotTaken(P_("It says no study."))
    return found


def _values(given: Mapping[Field, str], heading: Heading) -> dict[str, float | None]:
    size, weight = (_number(given.get(name, "")) for name in VALUES)
    if size is None and weight is None:
        raise _NotTaken(P_("It says neither size nor weight."))
    metres = None if size is None else round(size * heading.factor_m, 6)
    if metres is not None and not LEAST_SIZE_M <= metres <= GREATEST_SIZE_M:
        raise _NotTaken(
            P_("A size of %(size)s m is not believed: from %(least)s to %(greatest)s m.",
               size=f"{metres:g}", least=LEAST_SIZE_M, greatest=GREATEST_SIZE_M)
        )  # fmt: skip
    if weight is not None and not LEAST_WEIGHT_KG <= weight <= GREATEST_WEIGHT_KG:
        raise _NotTaken(
            P_("A weight of %(weight)s kg is not believed: from %(least)s to %(greatest)s kg.",
               weight=f"{weight:g}", least=LEAST_WEIGHT_KG, greatest=GREATEST_WEIGHT_KG)
        )  # fmt: skip
    if metres is not None and weight is not None and not LEAST_INDEX <= weight / metres**2 <= GREATEST_INDEX:
        raise _NotTaken(
            P_("%(size)s m and %(weight)s kg do not go together: %(index)s kg/m², not from %(least)s to %(greatest)s.",
               size=f"{metres:g}", weight=f"{weight:g}", index=f"{weight / metres**2:.1f}", least=LEAST_INDEX,
               greatest=GREATEST_INDEX)
        )  # fmt: skip
    return {"patient_size_m": metres, "patient_weight_kg": weight}


def _number(text: str) -> float | None:
    """None where nothing is written. A comma with one or two digits behind it is a decimal comma; with three it could
    as well part thousands."""
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    if _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if _COMMA.fullmatch(text):
        raise _NotTaken(P_("“%(text)s” can be read in two ways: write it with a point.", text=text[:40]))
    raise _NotTaken(P_("“%(text)s” is no size or weight: write a number such as 172.5.", text=storable(text)[:40]))
