"""Generated studies and conditions: what conditions are asked of, as rows of the database and as facts.

The facts are made from what was generated, not read from the database, so that the tests know what is true.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any as Anything
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from treegarth.conditions.model import All, Any, Comparison, Condition, Facts, Field, Kind, Level, Not, Operator, Some
from treegarth.conditions.values import OPERATORS
from treegarth.conditions.vocabulary import Vocabulary

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=ZoneInfo("Asia/Seoul"))
TEXTS = (
    "",
    "CT",
    "PT",
    "ct",
    "CHEST Routine",
    "흉부 CT",
    "Ünal",
    "ünal",
    "a%b_c",
    "a\\b",
    "Jane's",
    "line\nline",
    "İI",
)
PATTERNS = (
    "*",
    "?",
    "??",
    "ct",
    "*T",
    "C*",
    "*chest*",
    "흉?*",
    "?nal",
    "a%*",
    "*\\*",
    "*'s",
    "line?line",
    "*i*",
    "??*T",
)
MODALITIES = ("CT", "PT", "SR", "XA", "MR")
NUMBERS = (-1.5, 0.0, 1.0, 2.0, 2.5, 100.0, 512.0)
DAYS = tuple(NOW.date() - timedelta(days=days) for days in (0, 1, 7, 30, 31, 400, 30000))
TIMES = (time(0), time(9, 30), time(14, 5, 30), time(23, 59, 59, 123456))
MOMENTS = tuple(NOW - timedelta(hours=hours) for hours in (0, 1, 24, 200, 9000))
AGES = (timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=30), timedelta(days=365.25))
DAYS_ONLY = tuple(age for age in AGES if age.seconds == 0)
LABELS = ("check", "흉부", "done")
HOLDS = ("legal", "teaching", "project")
KINDS = ("ct", "projection")
DESTINATIONS = ("NMDOSE", "보관소")

# keyword: tag, values as DICOM JSON has them, and the facts that they are
HEADER: dict[str, tuple[str, dict[str, tuple[Anything, ...]]]] = {
    "KVP": ("00180060", {"[120.0]": (120.0,), "[2.5, 100]": (2.5, 100.0), '["x", null]': ()}),
    "PatientAge": ("00101010", {'["063Y"]': ("063Y",)}),
    "OperatorsName": (
        "00081070",
        {
            '[{"Alphabetic": "Hong^G", "Ideographic": "洪^G", "Phonetic": "홍"}]': ("Hong^G=洪^G=홍",),
            "[{}]": (),
            '[{"Alphabetic": "CT"}, {"Phonetic": "CT"}]': ("CT", "==CT"),
        },
    ),
    "ConvolutionKernel": ("00181210", {'["CT", "ct", "Ünal"]': ("CT", "ct", "Ünal"), "[1]": ()}),
    "ContentDate": (
        "00080023",
        {'["20261120"]': (date(2026, 11, 20),), '["20260229", "20240229", "20261301", "x"]': (date(2024, 2, 29),)},
    ),
    "ContentTime": (
        "00080033",
        {'["0930", "14"]': (time(9, 30), time(14)), '["140530.5"]': (time(14, 5, 30, 500000),), '["2460", "9"]': ()},
    ),
}
STUDY_FIELDS: dict[str, tuple[Anything, ...]] = {
    "StudyDescription": TEXTS,
    "PatientName": TEXTS,
    "StudyDate": DAYS,
    "StudyTime": TIMES,
}
SERIES_FIELDS: dict[str, tuple[Anything, ...]] = {
    "SeriesDescription": TEXTS,
    "SeriesNumber": (1, 2, 100),
    "StationName": TEXTS,
    "SeriesTime": TIMES,
    "origin.calling_ae_title": ("CT", "PT"),
    "Modality": MODALITIES,
}
INSTANCE_FIELDS: dict[str, tuple[Anything, ...]] = {
    "SOPClassUID": ("1.2", "1.3"),
    "InstanceNumber": (1, 2, 5),
    "NumberOfFrames": (1, 2, 100),
    "AcquisitionDate": DAYS,
}


@dataclass
class Row:
    """A study, a series or an instance: the values of its fields, and what is beneath it."""

    values: dict[str, Anything]
    below: list[Row] = field(default_factory=list)


def studies() -> st.SearchStrategy[Row]:
    """A study with all that features know of it. Made from a number: to draw each value would take the tests' time."""
    return st.integers(0, 2**32).map(lambda number: _study(Random(number)))


def _row(chance: Random, fields: dict[str, tuple[Anything, ...]]) -> dict[str, Anything]:
    """A value of each field, or none."""
    return {name: chance.choice(values) if chance.random() < 0.75 else None for name, values in fields.items()}


def _several(chance: Random, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(chance.sample(values, chance.randrange(3))))


def _study(chance: Random) -> Row:
    dose = {
        **_row(chance, {"dose.dlp_total_mgy_cm": NUMBERS, "dose.source": ("report", "header")}),
        "dose.kinds": _several(chance, KINDS),
    }
    states = ("waiting", "sending", "sent", "sent with a proof", "confirmed", "confirmed", "given up", "gone")
    values = {
        **_row(chance, STUDY_FIELDS),
        "received_at": chance.choice(MOMENTS),
        "is_arriving": chance.random() < 0.5,
        "size_bytes": chance.choice((0, 2, 100, 5_000_000_000)),
        "dose": dose if chance.random() < 0.75 else None,
        "label": _several(chance, LABELS),
        "hold": _several(chance, HOLDS),
        "holds_no_more": _several(chance, HOLDS),
        "delivery": {name: chance.choices(states, k=chance.randrange(3)) for name in DESTINATIONS},
    }
    return Row(values, [_series(chance) for _ in range(chance.randrange(4))])


def _series(chance: Random) -> Row:
    """With up to three instances and some attributes of a header."""
    header = _row(chance, {name: tuple(given) for name, (_, given) in HEADER.items()})
    return Row(
        {**_row(chance, SERIES_FIELDS), "header": header}, [_instance(chance) for _ in range(chance.randrange(4))]
    )


def _instance(chance: Random) -> Row:
    types = ("ORIGINAL", "PRIMARY", "", "축")
    found = tuple(chance.choices(types, k=chance.randrange(1, 4))) if chance.random() < 0.75 else None
    return Row({**_row(chance, INSTANCE_FIELDS), "ImageType": found})


def facts_of(study: Row, key: str) -> Facts:
    """What is true of a study with this key; those of its series are key-0, key-1 and so on."""
    below = []
    for at, series in enumerate(study.below):
        instances_facts = tuple(
            Facts(key=f"{key}-{at}-{number}", values=_instance_values(one)) for number, one in enumerate(series.below)
        )
        below.append(Facts(key=f"{key}-{at}", values=_series_values(series), below=instances_facts))
    return Facts(key=key, values=_study_values(study), below=tuple(below))


def _study_values(study: Row) -> dict[str, Anything]:
    given = study.values
    dose = given["dose"] or {"dose.dlp_total_mgy_cm": None, "dose.source": None, "dose.kinds": ()}
    delivery: dict[str, list[str]] = given["delivery"]
    arrived = {name for name, found in delivery.items() if {"confirmed"} <= set(found) <= {"confirmed", "gone"}}

    def some(*states: str) -> tuple[str, ...]:
        """The destinations for which some object is in one of these states of the ledger."""
        return _sorted(name for name, found in delivery.items() if set(states) & set(found))

    return {
        **{name: given[name] for name in (*STUDY_FIELDS, "is_arriving", "label", "hold")},
        "received_at": given["received_at"],
        "size_bytes": float(given["size_bytes"]),
        "series_count": float(len(study.below)),
        "ModalitiesInStudy": _sorted(series.values["Modality"] for series in study.below),
        **dose,
        "dose.exists": given["dose"] is not None,
        "delivery.arrived": _sorted(arrived),
        "delivery.open": some("waiting", "sending", "sent"),
        "delivery.waiting": some("waiting"),
        "delivery.sending": some("sending", "sent"),
        "delivery.unproved": some("sent with a proof"),
        "delivery.given_up": some("given up", "gone"),
    }


def _series_values(series: Row) -> dict[str, Anything]:
    attributes = {
        name: _sorted(HEADER[name][1][given]) if given else () for name, given in series.values["header"].items()
    }
    numbers = {one.values["InstanceNumber"] for one in series.below} - {None}
    missing = float(max(numbers) - min(numbers) + 1 - len(numbers)) if numbers else None
    return {
        **{name: _plain(series.values[name]) for name in SERIES_FIELDS},
        **attributes,
        "completeness.missing_instance_numbers": missing,
    }


def _instance_values(instance: Row) -> dict[str, Anything]:
    values = {name: _plain(instance.values[name]) for name in INSTANCE_FIELDS}
    return {**values, "ImageType": _sorted(instance.values["ImageType"] or ())}


def _sorted(values: Anything) -> tuple[Anything, ...]:
    return tuple(sorted({value for value in values if value is not None}))


def _plain(value: Anything) -> Anything:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def names() -> dict[Level, list[str]]:
    """The fields that generated studies have values for."""
    empty = facts_of(Row(EMPTY), "none").values
    return {
        Level.STUDY: sorted(empty),
        Level.SERIES: sorted(_series_values(Row({**dict.fromkeys(SERIES_FIELDS), "header": dict.fromkeys(HEADER)}))),
        Level.INSTANCE: sorted((*INSTANCE_FIELDS, "ImageType")),
    }


EMPTY: dict[str, Anything] = {
    **dict.fromkeys(STUDY_FIELDS),
    "received_at": NOW,
    "is_arriving": False,
    "size_bytes": 0,
    "dose": None,
    "label": (),
    "hold": (),
    "delivery": {},
}


def comparisons(vocabulary: Vocabulary) -> st.SearchStrategy[Comparison]:
    """A comparison of any of the fields, by any operator that fits."""
    fields = [vocabulary.term(name).field for found in names().values() for name in found]
    return st.sampled_from(fields).flatmap(_comparison)


def _comparison(field: Field) -> st.SearchStrategy[Comparison]:
    return st.sampled_from(OPERATORS[field.kind]).flatmap(lambda operator: _with_values(field, operator))


def _with_values(field: Field, operator: Operator) -> st.SearchStrategy[Comparison]:
    size = {Operator.EXISTS: (0, 0), Operator.BETWEEN: (2, 2), Operator.IN: (1, 4)}.get(operator, (1, 1))
    values = st.lists(_value(field, operator), min_size=size[0], max_size=size[1])
    return values.map(lambda given: Comparison(field=field, operator=operator, values=tuple(given)))


def _value(field: Field, operator: Operator) -> st.SearchStrategy[Anything]:
    if operator is Operator.LIKE:
        return st.sampled_from(PATTERNS)
    if operator in (Operator.OLDER, Operator.WITHIN):
        return st.sampled_from(DAYS_ONLY if field.kind is Kind.DATE else AGES)
    if field.choices:
        return st.sampled_from(field.choices)
    return {
        Kind.TEXT: st.sampled_from(
            (*TEXTS, *MODALITIES, *LABELS, *DESTINATIONS, "Hong^G=洪^G=홍", "1.2", "063Y", "축")
        ),
        Kind.NUMBER: st.sampled_from(NUMBERS),
        Kind.DATE: st.sampled_from((*DAYS, date(2024, 2, 29))),
        Kind.TIME: st.sampled_from((*TIMES, time(14), time(14, 5, 30, 500000))),
        Kind.MOMENT: st.sampled_from(
            (*MOMENTS, NOW.replace(hour=9, tzinfo=None), datetime(2026, 11, 20, 1, tzinfo=UTC))
        ),
        Kind.TRUTH: st.booleans(),
    }[field.kind]


def conditions(vocabulary: Vocabulary, level: Level = Level.STUDY, depth: int = 3) -> st.SearchStrategy[Condition]:
    """A condition for objects of a level."""
    simple: st.SearchStrategy[Condition] = comparisons(vocabulary)
    if depth == 0:
        return simple
    inner = st.deferred(lambda: conditions(vocabulary, level, depth - 1))
    found: list[st.SearchStrategy[Condition]] = [
        simple,
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Any(tuple(parts))),
        inner.map(Not),
    ]
    for deeper in {Level.STUDY: (Level.SERIES, Level.INSTANCE), Level.SERIES: (Level.INSTANCE,)}.get(level, ()):
        found.append(_some(vocabulary, deeper, depth))
    return st.one_of(found)


def _some(vocabulary: Vocabulary, level: Level, depth: int) -> st.SearchStrategy[Condition]:
    return st.deferred(lambda: conditions(vocabulary, level, depth - 1)).map(lambda part: Some(level, part))
