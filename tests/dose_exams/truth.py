"""What was truly given in an exam: devices with their events and administrations, and the sums of these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

HEAD, BODY = "IEC Head Dosimetry Phantom", "IEC Body Dosimetry Phantom"
F18 = {"code": "77004003", "scheme": "SCT", "meaning": "^18^Fluorine"}
F18_SRT = {"code": "C-111A1", "scheme": "SRT", "meaning": "^18^Fluorine"}
TC99M = {"code": "72454002", "scheme": "SCT", "meaning": "^99m^Technetium"}
TC99M_SRT = {"code": "C-163A8", "scheme": "SRT", "meaning": "^99m^Technetium"}
NUCLIDES = {"^18^Fluorine": (F18, F18_SRT), "^99m^Technetium": (TC99M, TC99M_SRT)}
KINDS = ("ct", "projection", "mammography", "radiopharmaceutical")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One irradiation event or administration, with the values that a reading has."""

    uid: str
    began: datetime
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TrueDevice:
    """A device and what it gave, in the order of time."""

    name: str
    kind: str
    events: tuple[Event, ...]
    can_be_images_alone: bool = True


@dataclass(frozen=True, kw_only=True)
class TrueExam:
    devices: tuple[TrueDevice, ...]

    def best(self) -> dict[str, float]:
        """The true dose by the names of the API; what was not given is absent."""
        found: dict[str, float] = {}
        planes: dict[tuple[str, str], float] = {}
        for device in self.devices:
            for event in device.events:
                for name, value in _shares(event):
                    found[name] = found.get(name, 0.0) + value
                if "dose_rp_gy" in event.values:
                    plane = (device.name, event.values.get("acquisition_plane", ""))
                    planes[plane] = planes.get(plane, 0.0) + event.values["dose_rp_gy"]
                if "mean_ctdi_vol_mgy" in event.values:
                    greatest = max(found.get("ctdi_vol_max_mgy", 0.0), event.values["mean_ctdi_vol_mgy"])
                    found["ctdi_vol_max_mgy"] = greatest
        if planes:
            found["dose_rp_gy"] = max(planes.values())
        if len(self.activities()) > 1:
            found.pop("administered_activity_mbq")
        return found

    def activities(self) -> dict[str, float]:
        """By radionuclide."""
        found: dict[str, float] = {}
        for device in self.devices:
            for event in device.events:
                if "administered_activity_mbq" in event.values:
                    nuclide = event.values["nuclide"]
                    found[nuclide] = found.get(nuclide, 0.0) + event.values["administered_activity_mbq"]
        return found

    @property
    def phantoms(self) -> set[str]:
        return {
            event.values["ctdiw_phantom_type"]
            for device in self.devices
            for event in device.events
            if "ctdiw_phantom_type" in event.values
        }


def _shares(event: Event) -> Iterator[tuple[str, float]]:
    values = event.values
    if "dlp_mgy_cm" in values:
        yield "dlp_mgy_cm", values["dlp_mgy_cm"]
        yield f"dlp_{'head' if values['ctdiw_phantom_type'] == HEAD else 'body'}_mgy_cm", values["dlp_mgy_cm"]
    if "dose_area_product_gy_m2" in values:
        yield "dose_area_product_gy_m2", values["dose_area_product_gy_m2"]
    if values.get("irradiation_event_type") == "Fluoroscopy":
        yield "total_fluoro_time_s", values["irradiation_duration_s"]
    if "average_glandular_dose_mgy" in values:
        yield (
            f"glandular_dose_{'left' if values['laterality'] == 'L' else 'right'}_mgy",
            values["average_glandular_dose_mgy"],
        )
    if "administered_activity_mbq" in values:
        yield "administered_activity_mbq", values["administered_activity_mbq"]


@dataclass
class Drawing:
    """Draws exams; UIDs are never given twice."""

    chance: Random
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def exam(self) -> TrueExam:
        began = datetime.fromisoformat("2026-03-02T08:00:00") + timedelta(seconds=self.chance.randrange(8 * 3600))
        kinds = self.chance.choices(KINDS, weights=(4, 4, 2, 3), k=self.chance.choice((1, 1, 1, 2, 2, 3)))
        if kinds.count("radiopharmaceutical") > 1:
            kinds = [kind for kind in kinds if kind != "radiopharmaceutical"] + ["radiopharmaceutical"]
        return TrueExam(
            devices=tuple(
                self._device(f"{kind} {number}", kind, began + timedelta(minutes=90 * number))
                for number, kind in enumerate(kinds)
            )
        )

    def uid(self) -> str:
        return f"1.2.826.0.1.3680043.10.999.{next(self.numbers)}"

    def _device(self, name: str, kind: str, began: datetime) -> TrueDevice:
        number = (
            self.chance.choice((1, 1, 2, 3, 4, 6)) if kind != "radiopharmaceutical" else self.chance.choice((1, 1, 2))
        )
        phantoms = self.chance.choice(([HEAD], [BODY], [BODY], [HEAD, BODY]))
        planes = self.chance.choice(([], ["Single Plane"], ["Plane A", "Plane B"]))  # none: radiography
        nuclides = self.chance.choice((["^18^Fluorine"], ["^99m^Technetium"], ["^99m^Technetium", "^18^Fluorine"]))
        events = []
        for position in range(number):
            began += timedelta(seconds=self.chance.randrange(31, 600))
            if kind == "radiopharmaceutical":
                began += timedelta(minutes=45)
                values = self._administration(nuclides[position % len(nuclides)])
            else:
                values = self._exposure(kind, phantoms[position % len(phantoms)], planes, position)
            events.append(Event(uid=self.uid(), began=began, values=values))
        is_fluoroscopy = kind == "projection" and bool(planes)
        return TrueDevice(name=name, kind=kind, events=tuple(events), can_be_images_alone=not is_fluoroscopy)

    def _exposure(self, kind: str, phantom: str, planes: list[str], position: int) -> dict[str, Any]:
        if kind == "ct":
            return self._ct(phantom)
        if kind == "mammography":
            return self._mammography("LR"[position % 2])
        return self._projection(planes[position % len(planes)]) if planes else self._radiography()

    def _radiography(self) -> dict[str, Any]:
        return {
            "dose_area_product_gy_m2": self._between(0.00001, 0.0005),
            "acquisition_plane": "Single Plane",
            "irradiation_event_type": "Stationary Acquisition",
        }

    def _between(self, low: float, high: float) -> float:
        """Now and then a round number: equal doses of several events are usual."""
        return self.chance.choice((low, high, float(f"{self.chance.uniform(low, high):.4g}")))

    def _ct(self, phantom: str) -> dict[str, Any]:
        return {
            "dlp_mgy_cm": self._between(50.0, 900.0),
            "mean_ctdi_vol_mgy": self._between(2.0, 60.0),
            "ctdiw_phantom_type": phantom,
            "acquisition_protocol": self.chance.choice(("Thorax", "Head")),
        }

    def _projection(self, plane: str) -> dict[str, Any]:
        is_fluoroscopy = self.chance.random() < 0.5
        values = {
            "dose_area_product_gy_m2": self._between(0.00001, 0.0005),
            "dose_rp_gy": self._between(0.001, 0.05),
            "acquisition_plane": plane,
            "irradiation_event_type": "Fluoroscopy" if is_fluoroscopy else "Stationary Acquisition",
        }
        return values | ({"irradiation_duration_s": self._between(2.0, 60.0)} if is_fluoroscopy else {})

    def _mammography(self, side: str) -> dict[str, Any]:
        return {"average_glandular_dose_mgy": self._between(0.8, 2.5), "laterality": side}

    def _administration(self, nuclide: str) -> dict[str, Any]:
        return {"administered_activity_mbq": self._between(200.0, 900.0), "nuclide": nuclide}
