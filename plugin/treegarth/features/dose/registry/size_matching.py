"""Which studies a line of a file with sizes is of, and which line tells the size and the weight of a study. Pure.

One rule for the look before an import, for the import and for a study that arrives later: a study is meant when
whatever the line names of Study Instance UID, accession number and patient ID is the study's. Where studies of several
patients are meant the line tells nothing. Of several lines the one of the file that was applied last tells, for size
and weight each by itself, and before what objects say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["found", "no dose", "waits", "ambiguous", "refused"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedStudy:
    """A study as lines name it; `told_...` is what its objects say. One that counts in another study is `replaced`."""

    orthanc_study_id: str
    study_instance_uid: str
    accession_number: str | None
    patient_id: str | None
    has_dose: bool = True
    is_replaced: bool = False
    told_size_m: float | None = None
    told_weight_kg: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenLine:
    """What a line says of which study."""

    size_import_id: int
    line: int
    study_instance_uid: str | None
    accession_number: str | None
    patient_id: str | None
    patient_size_m: float | None
    patient_weight_kg: float | None
    applied_at: datetime | None = None

    def is_of(self, study: NamedStudy) -> bool:
        wanted = (self.study_instance_uid, self.accession_number, self.patient_id)
        own = (study.study_instance_uid, study.accession_number, study.patient_id)
        return any(wanted) and all(one is None or one == of for one, of in zip(wanted, own, strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What a line would do, by the studies that are known."""

    outcome: Outcome
    studies: tuple[NamedStudy, ...] = ()

    def differs(self, line: GivenLine) -> bool:
        """Whether the objects of one say another size or weight."""
        return any(
            _is_other(line.patient_size_m, one.told_size_m) or _is_other(line.patient_weight_kg, one.told_weight_kg)
            for one in self.studies
        )


LONG_AGO = datetime.min.replace(tzinfo=UTC)
SAME_PART = 1e-4
"""Numbers that differ by less were only rounded."""


def _is_other(given: float | None, told: float | None) -> bool:
    return given is not None and told is not None and abs(given - told) > SAME_PART * given


def match(line: GivenLine, known: Iterable[NamedStudy]) -> Match:
    """The studies that it is of, those with a dose first."""
    of = sorted(
        (one for one in known if not one.is_replaced and line.is_of(one)),
        key=lambda one: (not one.has_dose, one.orthanc_study_id),
    )
    if len({one.patient_id or "" for one in of}) > 1:
        return Match(outcome="ambiguous", studies=tuple(of))
    if not of:
        return Match(outcome="waits")
    return Match(outcome="found" if of[0].has_dose else "no dose", studies=tuple(of))


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """The lines that tell a study's size and weight; None: its objects do."""

    size: GivenLine | None = None
    weight: GivenLine | None = None

    def __bool__(self) -> bool:
        return self.size is not None or self.weight is not None


def told(lines: Sequence[GivenLine]) -> Told:
    """Of those that are of one study, and of no other patient's."""
    latest = sorted(lines, key=lambda one: (one.applied_at or LONG_AGO, one.size_import_id, one.line), reverse=True)
    return Told(
        size=next((one for one in latest if one.patient_size_m is not None), None),
        weight=next((one for one in latest if one.patient_weight_kg is not None), None),
    )


class Named:
    """Studies by what lines name them, so that of many lines each looks at few."""

    def __init__(self, studies: Iterable[NamedStudy]) -> None:
        self._by: dict[tuple[str, str], list[NamedStudy]] = {}
        for one in studies:
            self._by.setdefault(("uid", one.study_instance_uid), []).append(one)
            if one.accession_number:
                self._by.setdefault(("accession", one.accession_number), []).append(one)

    def of(self, line: GivenLine) -> Match:
        """As `match`."""
        return match(line, self.alike(line))

    def alike(self, line: GivenLine) -> list[NamedStudy]:
        """Every study that it names, those that count in another one, too."""
        key = (
            ("uid", line.study_instance_uid) if line.study_instance_uid else ("accession", line.accession_number or "")
        )
        return [one for one in self._by.get(key, ()) if line.is_of(one)]


def of_studies(
    lines: Iterable[GivenLine], studies: Mapping[str, NamedStudy], named: Named
) -> dict[str, list[tuple[GivenLine, Match]]]:
    """By study, the lines that name it, each with all that it is of."""
    found: dict[str, list[tuple[GivenLine, Match]]] = {}
    for line in lines:
        matched = named.of(line)
        for name, study in studies.items():
            if line.is_of(study):
                found.setdefault(name, []).append((line, matched))
    return found
