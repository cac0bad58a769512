"""Tell exposures and administrations of one study apart, and recognise one that several images describe. Pure.

An irradiation event UID decides where both have one. Elsewhere the acquisition does: when it began, which view of which
side, with what exposure; in CT its number; of an administration the nuclide and the time. Images for processing and for
presentation, reconstructions of one scan and the frames of a PET agree in these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from treegarth.features.dose.model import Values


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposure:
    """One irradiation event or administration that a header describes: its UID and its acquisition, if told."""

    uid: str | None
    acquisition: str | None


def acquisition_key(kind: str, values: Values) -> str | None:
    """What the acquisition says of itself, the same for every image of it; None where it says too little."""
    if kind == "radiopharmaceutical":
        return f"{_nuclide(values)}|{_clock(values)}"
    if kind == "ct":
        number = values.get("acquisition_number")
        return None if number is None else f"acquisition {number:g}"
    if values.get("date_time_started") is None:
        return None
    names = ("date_time_started", "laterality", "view_position", "kvp", "exposure_uas")
    return "|".join(_plain(values.get(name)) for name in names)


def same_exposures(exposures: Iterable[tuple[str, Exposure]]) -> Mapping[tuple[str, Exposure], str]:
    """A name for each exposure, given with its source: the same name for the same exposure.

    One without a UID is one that has a UID and the same acquisition (of several, the first by UID); one that says
    nothing of itself is its source's own. An administration without a time is one of the same nuclide that has one.
    """
    given = sorted(set(exposures), key=lambda one: (one[1].acquisition or "", one[1].uid or "", one[0]))
    by_acquisition: dict[str, str] = {}
    for _, exposure in given:
        if exposure.uid and exposure.acquisition:
            by_acquisition.setdefault(exposure.acquisition, f"uid {exposure.uid}")
    timed: dict[str, str] = {}
    for _, exposure in given:
        if exposure.acquisition and "|" in exposure.acquisition and not exposure.acquisition.endswith("|"):
            name = by_acquisition.get(exposure.acquisition, exposure.acquisition)
            timed.setdefault(exposure.acquisition.split("|")[0] + "|", name)
    names = {}
    for source, exposure in given:
        acquisition = exposure.acquisition
        if exposure.uid:
            names[source, exposure] = f"uid {exposure.uid}"
        elif acquisition is None:
            names[source, exposure] = f"source {source}"
        else:
            names[source, exposure] = by_acquisition.get(acquisition) or timed.get(acquisition) or acquisition
    return names


def _nuclide(values: Values) -> str:
    code = values.get("radionuclide_code")
    if isinstance(code, Mapping):
        return str(code.get("code", "")).replace("|", " ")
    return str(values.get("radiopharmaceutical") or "").strip().upper().replace("|", " ")


def _clock(values: Values) -> str:
    """The time of day of the start, to the second, whether it is told as a DT or as a TM; "" where it is not."""
    start = str(values.get("start") or "")
    clock = start[8:14] if len(start) >= 12 else str(values.get("start_time") or "").replace(":", "")[:6]
    return clock.ljust(6, "0") if clock else ""


def _plain(value: object) -> str:
    return "" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)
