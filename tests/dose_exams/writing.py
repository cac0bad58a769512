"""Write a true exam as objects: reports that are split, cumulative, sent again, corrected, images, with and without
UIDs and times. What comes out are readings, as the reader gives them of such objects.

A *clean* exam is told with event UIDs or full times and without contradiction: of it no doubt may be left. Others lose
numbers, phantoms, sides, times, totals; or contradict themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.dose_exams.truth import NUCLIDES, Drawing, Event, TrueDevice, TrueExam

ZONE = timedelta(hours=9)
HEADER_NAMES = {
    "ct": ("mean_ctdi_vol_mgy", "ctdiw_phantom_type"),
    "projection": ("dose_area_product_gy_m2",),
    "mammography": ("average_glandular_dose_mgy", "laterality"),
    "radiopharmaceutical": ("administered_activity_mbq", "nuclide"),
}
"""What an image's header tells of an event."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One object as its reading: what deciding, or the database, is given of it."""

    name: str
    sop_instance_uid: str
    kind: str
    is_report: bool
    device: str
    series: str
    received_at: datetime
    totals: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    events: tuple[dict[str, Any], ...] = ()
    modified_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a device writes, drawn once for each."""

    has_uids: bool
    has_times: bool
    has_totals: bool
    has_zone: bool
    uses_srt: bool
    names_sources: bool


class Writer:
    """Writes one exam."""

    def __init__(self, exam: TrueExam, drawing: Drawing, *, is_clean: bool) -> None:
        self.exam = exam
        self.drawing = drawing
        self.chance: Random = drawing.chance
        self.is_clean = is_clean
        self.clock = datetime(2026, 3, 2, 20, tzinfo=UTC)

    def write(self) -> list[Written]:
        """Every object, in the order in which they were made."""
        found: list[Written] = []
        for device in self.exam.devices:
            found += self._device(device)
        if not self.is_clean:
            found = [self._spoiled(one) for one in found]
            if self.chance.random() < 0.2:
                found += self._contradicting([one for one in found if one.is_report])
        return found

    # How a device tells what it gave

    def _device(self, device: TrueDevice) -> list[Written]:
        habits = self._habits(device)
        images = self._images(device, device.events, habits)
        alone = device.can_be_images_alone and (device.kind != "ct" or self._is_only(device))
        is_radiography = device.kind == "projection" and device.can_be_images_alone
        if device.kind == "radiopharmaceutical" or (alone and (is_radiography or self.chance.random() < 0.3)):
            if device.kind == "radiopharmaceutical" and self.chance.random() < 0.7:
                reports = self._administration_reports(device, habits)
                return self._shuffled([*reports, *(images if self.chance.random() < 0.5 else [])])
            return images
        reports = self._reports(device, habits)
        if self.chance.random() < 0.4:
            return [*reports, *images]
        return reports

    def _is_only(self, device: TrueDevice) -> bool:
        """Beside another CT, one whose images give no DLP, or whose totals give no CTDIvol, leaves the exam's open."""
        return sum(one.kind == device.kind for one in self.exam.devices) == 1

    def _habits(self, device: TrueDevice) -> Habits:
        has_uids = self.chance.random() < 0.6
        times_needed = self.is_clean and not has_uids
        return Habits(
            has_uids=has_uids,
            has_times=times_needed or self.chance.random() < 0.6,
            has_totals=device.kind != "radiopharmaceutical" and self.chance.random() < 0.7,
            has_zone=self.chance.random() < 0.3,
            uses_srt=self.chance.random() < 0.5,
            names_sources=self.chance.random() < 0.3,
        )

    def _reports(self, device: TrueDevice, habits: Habits) -> list[Written]:
        style = self.chance.choice(
            ("whole", "whole", "split", "cumulative", "to this point", "again", "corrected", "totals only")
        )
        if style == "totals only" and (device.kind != "ct" or self._is_only(device)):
            return self._totals_only(device, habits)
        events = device.events
        if style == "split" and len(events) > 1:
            cut = self.chance.randrange(1, len(events))
            return [self._report(device, events[:cut], habits), self._report(device, events[cut:], habits)]
        if style in ("cumulative", "to this point") and len(events) > 1:
            scope = {"scope_of_accumulation": "Procedure Step To This Point"} if style == "to this point" else {}
            so_far = [self._report(device, events[:end], habits, report=scope) for end in range(1, len(events))]
            return [*self.chance.sample(so_far, min(2, len(so_far))), self._report(device, events, habits)]
        whole = self._report(device, events, habits)
        if style == "again":
            return [whole, self._sent_again(whole, habits)]
        if style == "corrected":
            wrong = replace(
                whole, totals=_scaled(whole.totals, 1.3), events=tuple(_scaled(e, 1.3) for e in whole.events)
            )
            right = self._renamed(whole, report={"predecessor_sop_instance_uids": [wrong.sop_instance_uid]})
            return [wrong, right]
        return [whole]

    def _totals_only(self, device: TrueDevice, habits: Habits) -> list[Written]:
        """A report that lists no event, DLP by phantom in sub-totals; now and then sent again."""
        began = {"start_of_x_ray_irradiation": f"{device.events[0].began:%Y%m%d%H%M%S}"}
        whole = replace(self._report(device, device.events, habits, report=began), events=())
        if device.kind == "ct":
            parts = [
                {"dlp_mgy_cm": sum(one.values["dlp_mgy_cm"] for one in device.events
                                   if one.values["ctdiw_phantom_type"] == phantom), "ctdiw_phantom_type": phantom}
                for phantom in sorted({one.values["ctdiw_phantom_type"] for one in device.events})
            ]  # fmt: skip
            whole = replace(whole, totals=whole.totals | {"dlp_subtotals": parts})
        return [whole, *([self._renamed(whole)] if self.chance.random() < 0.4 else [])]

    def _administration_reports(self, device: TrueDevice, habits: Habits) -> list[Written]:
        """One report for each administration, or one for all; now and then sent again."""
        if self.chance.random() < 0.5:
            reports = [self._report(device, [event], habits) for event in device.events]
        else:
            reports = [self._report(device, device.events, habits)]
        return reports + ([self._renamed(reports[0])] if self.chance.random() < 0.3 else [])

    def _sent_again(self, whole: Written, habits: Habits) -> Written:
        """The same once more, under another SOP Instance UID; now and then under other event UIDs too."""
        again = self._renamed(whole)
        if habits.has_uids and habits.has_times and self.chance.random() < 0.4:
            events = [event | {"irradiation_event_uid": self.drawing.uid()} for event in again.events]
            return replace(again, events=tuple(events))
        return again

    def _renamed(self, one: Written, *, report: dict[str, Any] | None = None) -> Written:
        uid = self.drawing.uid()
        return replace(
            one, name=f"o{uid}", sop_instance_uid=uid, report=one.report | (report or {}), received_at=self._now()
        )

    def _report(
        self, device: TrueDevice, events: Sequence[Event], habits: Habits, *, report: dict[str, Any] | None = None
    ) -> Written:
        uid = self.drawing.uid()
        has_totals = habits.has_totals or report is not None
        return Written(
            name=f"o{uid}",
            sop_instance_uid=uid,
            kind=device.kind,
            is_report=True,
            device=device.name,
            series=f"reports of {device.name}",
            received_at=self._now(),
            totals=_of_planes(totals_of(device.kind, events), habits) if has_totals else {},
            report=dict(report or {}) | ({"timezone_offset_from_utc": "+0900"} if habits.has_zone else {}),
            events=tuple(self._told(device, event, habits, is_report=True) for event in events),
        )

    def _images(self, device: TrueDevice, events: Iterable[Event], habits: Habits) -> list[Written]:
        """One or two images of each event: for processing and for presentation, or two of a series."""
        found = []
        is_given = device.kind == "radiopharmaceutical"
        for number, event in enumerate(events, start=1):
            told = self._told(device, event, habits, is_report=False)
            if device.kind == "ct":
                told["acquisition_number"] = float(number)
            for _ in range(self.chance.choice((1, 2))):
                uid = self.drawing.uid()
                found.append(
                    Written(
                        name=f"o{uid}",
                        sop_instance_uid=uid,
                        kind=device.kind,
                        is_report=False,
                        device=device.name,
                        series=f"images of {device.name}" + (f" {number}" if is_given else ""),
                        received_at=self._now(),
                        events=(told,),
                    )
                )
        return found

    def _told(self, device: TrueDevice, event: Event, habits: Habits, *, is_report: bool) -> dict[str, Any]:
        """An event as a report or a header has it."""
        names = (
            list(event.values) if is_report else [name for name in HEADER_NAMES[device.kind] if name in event.values]
        )
        values = {name: event.values[name] for name in names}
        if habits.has_uids:
            values["irradiation_event_uid"] = event.uid
        if device.kind == "radiopharmaceutical":
            nuclide = values.pop("nuclide")
            values["radionuclide_code"] = NUCLIDES[nuclide][habits.uses_srt ^ is_report]
        if habits.has_times:
            values |= self._time(device, event, habits, is_report=is_report)
        return _of_planes(values, habits) if is_report else values

    def _time(self, device: TrueDevice, event: Event, habits: Habits, *, is_report: bool) -> dict[str, Any]:
        if device.kind != "radiopharmaceutical":
            return {"date_time_started": f"{event.began:%Y%m%d%H%M%S}.{self.chance.choice((0, 4)):01}"}
        if is_report:
            in_utc = habits.has_zone and self.chance.random() < 0.5
            return {"start": f"{event.began - ZONE:%Y%m%d%H%M%S}+0000" if in_utc else f"{event.began:%Y%m%d%H%M%S}"}
        late = event.began + timedelta(seconds=self.chance.choice((0, 12)))
        return {"start_time": f"{late:%H%M%S}", "acquired": f"{event.began + timedelta(hours=1):%Y%m%d%H%M%S}"}

    # What spoils an object

    def _spoiled(self, one: Written) -> Written:
        if self.chance.random() < 0.6:
            return one
        spoil = self.chance.choice((self._lose_a_number, self._lose_totals, self._zero_totals, self._lose_a_part,
                                    self._lose_times, self._repeat_a_uid))  # fmt: skip
        return spoil(one)

    def _lose_a_number(self, one: Written) -> Written:
        doses = ("dlp_mgy_cm", "mean_ctdi_vol_mgy", "dose_area_product_gy_m2", "dose_rp_gy", "irradiation_duration_s",
                 "average_glandular_dose_mgy", "administered_activity_mbq")  # fmt: skip
        return self._without(one, doses, totals={})

    def _lose_totals(self, one: Written) -> Written:
        return replace(one, totals={})

    def _zero_totals(self, one: Written) -> Written:
        return replace(one, totals={name: 0.0 for name, value in one.totals.items() if isinstance(value, float)})

    def _lose_a_part(self, one: Written) -> Written:
        return self._without(one, ("ctdiw_phantom_type", "laterality", "radionuclide_code"), totals={})

    def _lose_times(self, one: Written) -> Written:
        names = ("date_time_started", "start", "start_time", "irradiation_event_uid")
        return replace(one, events=tuple({n: v for n, v in event.items() if n not in names} for event in one.events))

    def _contradicting(self, reports: list[Written]) -> list[Written]:
        """One of the reports once more with other numbers, before or after it; nothing tells which is right."""
        if not reports:
            return []
        again = self._renamed(self.chance.choice(reports))
        late = self.chance.choice((timedelta(0), timedelta(days=-1)))
        return [replace(again, totals=_scaled(again.totals, 1.3), received_at=again.received_at + late,
                        events=tuple(_scaled(event, 1.3) for event in again.events))]  # fmt: skip

    def _repeat_a_uid(self, one: Written) -> Written:
        if len(one.events) < 2 or "irradiation_event_uid" not in one.events[0]:
            return one
        twin = one.events[1] | {"irradiation_event_uid": one.events[0]["irradiation_event_uid"]}
        return replace(one, events=(one.events[0], twin, *one.events[2:]))

    def _without(self, one: Written, names: Sequence[str], totals: dict[str, Any]) -> Written:
        if one.kind == "ct" and not one.is_report:
            return one  # without CTDIvol an image is no source
        there = sorted({name for event in one.events for name in names if name in event})
        if not there:
            return one
        name, at = self.chance.choice(there), self.chance.randrange(len(one.events))
        events = list(one.events)
        events[at] = {key: value for key, value in events[at].items() if key != name}
        return replace(one, events=tuple(events), totals=totals)

    def _now(self) -> datetime:
        self.clock += timedelta(minutes=1)
        return self.clock

    def _shuffled(self, found: list[Written]) -> list[Written]:
        self.chance.shuffle(found)
        return found


def totals_of(kind: str, events: Sequence[Event]) -> dict[str, Any]:
    """What a report of these events gives as totals."""
    values = [event.values for event in events]
    if kind == "ct":
        return {"dlp_total_mgy_cm": sum(one["dlp_mgy_cm"] for one in values)}
    if kind == "mammography":
        sides = {"L": "left", "R": "right"}
        found: dict[str, Any] = {}
        for one in values:
            name = f"accumulated_average_glandular_dose_{sides[one['laterality']]}_mgy"
            found[name] = found.get(name, 0.0) + one["average_glandular_dose_mgy"]
        return found
    planes = sorted({one["acquisition_plane"] for one in values})
    each = [_plane_totals(plane, [one for one in values if one["acquisition_plane"] == plane]) for plane in planes]
    if len(each) == 1:
        return each[0]
    names = {name for one in each for name, value in one.items() if isinstance(value, float)}
    return {name: sum(one.get(name, 0.0) for one in each) for name in names} | {"planes": each}


def _plane_totals(plane: str, values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    fluoro = [one["irradiation_duration_s"] for one in values if "irradiation_duration_s" in one]
    return (
        {
            "acquisition_plane": plane,
            "dose_area_product_total_gy_m2": sum(one["dose_area_product_gy_m2"] for one in values),
        }
        | ({"dose_rp_total_gy": sum(one["dose_rp_gy"] for one in values)} if "dose_rp_gy" in values[0] else {})
        | ({"total_fluoro_time_s": sum(fluoro)} if fluoro else {})
    )


def _of_planes(values: dict[str, Any], habits: Habits) -> dict[str, Any]:
    """By the X-ray source in place of the plane, as an Enhanced report has it."""
    found = dict(values)
    if habits.names_sources and "acquisition_plane" in found:
        plane = found.pop("acquisition_plane")
        found["x_ray_source_identification"] = "B" if plane == "Plane B" else "A"
    if "planes" in found:
        found["planes"] = [_of_planes(one, habits) for one in found["planes"]]
    return found


def _scaled(values: dict[str, Any], factor: float) -> dict[str, Any]:
    found = {name: value * factor if isinstance(value, float) else value for name, value in values.items()}
    if "planes" in found:
        found["planes"] = [_scaled(one, factor) for one in found["planes"]]
    return found
