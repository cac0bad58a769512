"""What a node asks by C-FIND: level, keys to match, keys to return (PS3.4 C.2.2, C.6.1, C.6.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import IntEnum
from typing import Literal, TypeAlias

from treegarth.dicom.headers import TAGS
from treegarth.errors import TreegarthError
from treegarth.limits import is_storable

Vr: TypeAlias = Literal["AE", "CS", "DA", "IS", "LO", "PN", "SH", "TM", "UI", "US"]

QUERY_LEVEL = 0x00080052
CHARACTER_SET = TAGS["specific_character_set"]
RETRIEVE_AE_TITLE = 0x00080054
MODALITIES_IN_STUDY = 0x00080061


class FindRefused(TreegarthError):
    """This question cannot be answered."""


class FindLevel(IntEnum):
    """From the patient down."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """An attribute that the index can be asked for: at which level it is, and in which column."""

    level: FindLevel
    column: str
    vr: Vr


def _keys(level: FindLevel, **vrs: Vr) -> dict[int, Key]:
    return {TAGS[column]: Key(level=level, column=column, vr=vr) for column, vr in vrs.items()}


KEYS: Mapping[int, Key] = {
    **_keys(FindLevel.PATIENT, patient_name="PN", patient_id="LO", patient_birth_date="DA", patient_sex="CS"),
    **_keys(
        FindLevel.STUDY,
        study_instance_uid="UI",
        study_date="DA",
        study_time="TM",
        study_id="SH",
        study_description="LO",
        accession_number="SH",
        referring_physician_name="PN",
        institution_name="LO",
    ),
    MODALITIES_IN_STUDY: Key(level=FindLevel.STUDY, column="modalities", vr="CS"),
    0x00201206: Key(level=FindLevel.STUDY, column="series_count", vr="IS"),  # Number of Study Related Series
    0x00201208: Key(level=FindLevel.STUDY, column="instance_count", vr="IS"),  # Number of Study Related Instances
    **_keys(
        FindLevel.SERIES,
        series_instance_uid="UI",
        modality="CS",
        series_number="IS",
        series_description="LO",
        series_date="DA",
        series_time="TM",
        body_part_examined="CS",
        protocol_name="LO",
        manufacturer="LO",
        manufacturer_model_name="LO",
        station_name="SH",
        device_serial_number="LO",
    ),
    0x00201209: Key(level=FindLevel.SERIES, column="instance_count", vr="IS"),  # Number of Series Related Instances
    **_keys(
        FindLevel.IMAGE,
        sop_instance_uid="UI",
        sop_class_uid="UI",
        instance_number="IS",
        number_of_frames="IS",
        rows="US",
        columns="US",
        acquisition_date="DA",
        acquisition_time="TM",
    ),
}
COUNTS = frozenset({0x00201206, 0x00201208, 0x00201209})
"""Returned, never matched: they are of objects that may come and go."""
UNIQUE: Mapping[FindLevel, tuple[str, ...]] = {
    FindLevel.PATIENT: ("patient_id",),
    FindLevel.STUDY: ("study_instance_uid",),
    FindLevel.SERIES: ("study_instance_uid", "series_instance_uid"),
    FindLevel.IMAGE: ("study_instance_uid", "series_instance_uid", "sop_instance_uid"),
}
"""The unique keys of each level and those above, which are in each answer (PS3.4 C.2.2.1.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One key and what its attribute has to be."""

    key: Key
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """`returned`: the tags that an answer has, in order; those that the index does not know are empty in it."""

    level: FindLevel
    matches: tuple[Match, ...]
    returned: tuple[int, ...]


def question_of(asked: Iterable[tuple[int, str]]) -> Question:
    """Of the tags and values of a request's identifier. Raises FindRefused."""
    values = {tag: value.strip(" \0") for tag, value in asked}
    if not all(map(is_storable, values.values())):
        raise FindRefused("A value is no text.")
    try:
        level = FindLevel[values.get(QUERY_LEVEL, "").upper()]
    except KeyError:
        raise FindRefused(f"There is no level {values.get(QUERY_LEVEL, '')[:16]!r}.") from None
    matches = []
    for tag, value in values.items():
        key = KEYS.get(tag)
        if key is None or tag in COUNTS or key.level > level or value.strip("*") == "":
            continue  # what is optional and not known matches whatever it is (PS3.4 C.2.2.1.3)
        matches.append(Match(key=key, value=value))
    unique = {TAGS[column] for column in UNIQUE[level]}
    returned = unique | {tag for tag in values if not _is_of_request(tag)} | {RETRIEVE_AE_TITLE}
    return Question(level=level, matches=tuple(matches), returned=tuple(sorted(returned)))


def _is_of_request(tag: int) -> bool:
    """What says how to read the request, and group lengths."""
    return tag in (QUERY_LEVEL, CHARACTER_SET) or tag & 0xFFFF == 0


def values_of(value: str) -> Sequence[str]:
    """Of a list (PS3.4 C.2.2.2.2)."""
    return [one.strip() for one in value.split("\\") if one.strip()]


def days_of(value: str) -> tuple[date | None, date | None]:
    """The first and the last day of a date or a range (PS3.4 C.2.2.2.5). Raises FindRefused."""
    begin, end = _range(value)
    return _day(begin), _day(end)


def times_of(value: str) -> tuple[time | None, time | None]:
    """The first and the last moment; a time that leaves its seconds out is all of that minute. Raises FindRefused."""
    begin, end = _range(value)
    return _moment(begin, "000000.000000"), _moment(end, "235959.999999")


def _range(value: str) -> tuple[str, str]:
    begin, dash, end = (part.strip() for part in value.partition("-"))
    return (begin, end) if dash else (begin, begin)


def _day(text: str) -> date | None:
    if not text:
        return None
    digits = text.replace(".", "")  # as ACR-NEMA wrote it (PS3.5 6.2, note of DA)
    if re.fullmatch("[0-9]{8}", digits):
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            pass
    raise FindRefused("A date is none, such as 20260131 or 20260101-20260131.")


def _moment(text: str, rest: str) -> time | None:
    if not text:
        return None
    digits = text.replace(":", "")
    if re.fullmatch(r"[0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]{1,6})?)?)?", digits):
        whole = digits + rest[len(digits) :]
        try:
            return time(int(whole[:2]), int(whole[2:4]), int(whole[4:6]), int(whole[7:13]))
        except ValueError:
            pass
    raise FindRefused("A time is none, such as 1015 or 080000-120000.")
