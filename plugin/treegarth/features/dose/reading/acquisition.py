"""Read what every irradiation event says in the same words (TID 10003, 10013, 10042): who and what took part, whether
it was repeated or rejected, what kind of label it has, and how its numbers came about. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Meaning, Table, Uid, Words, YesNo
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.participants import read_devices, read_persons

REPEATED: Table = {
    codes.IS_REPEATED_ACQUISITION: YesNo("is_repeated_acquisition"),
    codes.REASON_FOR_REPEATING_ACQUISITION: Words("reason_for_repeating_acquisition"),
    codes.IS_REJECTED_ACQUISITION: YesNo("is_rejected_acquisition"),
    codes.REASON_FOR_REJECTING_ACQUISITION: Words("reason_for_rejecting_acquisition"),
}
"""A rejected acquisition irradiated all the same: it counts like any other."""

BELOW_REPEATED: Table = {
    codes.REASON_FOR_REPEATING_ACQUISITION: REPEATED[codes.REASON_FOR_REPEATING_ACQUISITION],
    codes.IRRADIATION_EVENT_UID: Uid("repeats_irradiation_event_uid"),
}
BELOW_REJECTED: Table = {
    codes.REASON_FOR_REJECTING_ACQUISITION: REPEATED[codes.REASON_FOR_REJECTING_ACQUISITION],
}
BELOW_LABEL: Table = {codes.LABEL_TYPE: Meaning("irradiation_event_label_type")}
_BELOW = {
    codes.IS_REPEATED_ACQUISITION: BELOW_REPEATED,
    codes.IS_REJECTED_ACQUISITION: BELOW_REJECTED,
    codes.IRRADIATION_EVENT_LABEL: BELOW_LABEL,
}

ORIGINS = {
    "derivations": {codes.DERIVATION: Meaning("derivation")},
    "reported_value_types": {codes.REPORTED_VALUE_TYPE: Meaning("reported_value_type")},
}


def read_acquisition(part: Part) -> dict[str, Any]:
    """What one event says of itself beside its dose and its technique."""
    found = part.values(REPEATED)
    for concept, table in _BELOW.items():
        for below in part.parts(concept):
            found |= below.values(table)
    return found | read_persons(part) | read_devices(part)


def read_origins(*read: tuple[Part, Table]) -> dict[str, Any]:
    """How numbers came about, by their names: estimated, the mean or the maximum of several (CID 9000, 3488).

    Of a number that stands several times one word each, in their order.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for part, table in read:
        for field, below in part.modified(table):
            for kind, words in ORIGINS.items():
                for word in below.values(words).values():
                    found.setdefault(kind, {}).setdefault(field.name, []).append(word)
    return {kind: {name: _one_or_all(words) for name, words in by_name.items()} for kind, by_name in found.items()}


def _one_or_all(words: Iterable[str]) -> str | list[str]:
    given = list(words)
    return given[0] if len(set(given)) == 1 else given
