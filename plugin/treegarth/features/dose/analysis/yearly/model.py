"""What the yearly report says: figures only, each value in the stored unit of its quantity."""

from __future__ import annotations

from datetime import date

from treegarth.features.dose.analysis.levels.comparison import Comparison
from treegarth.record import Record

MONTHS = 12
MOST_NAMES = 100
"""Rows of names that a modality shows, those with the most exams first: the others are counted."""


class QuantityOfYear(Record):
    """A quantity of a modality's exams in the year, and the year before."""

    quantity: str
    """With the stored unit at its end."""
    phantom: str | None
    """Of a quantity that is by phantom: head, body, both or unknown; the phantoms are never mixed."""
    n: int
    """Exams with a value that counts."""
    doubted_left_out: int
    """Exams whose value does not, because something speaks against it."""
    median: float | None
    p25: float | None
    p75: float | None
    p95: float | None
    last_year_n: int
    last_year_median: float | None
    change_percent: float | None
    """Of the median, from last year's on; null without one of the two, and where last year's is 0."""


class NameOfYear(Record):
    """What exams of one name were given of the quantity by which their modality is compared."""

    name: str | None
    """The standard name, else the study description; null where an exam has neither."""
    is_standard: bool
    quantity: str
    phantom: str | None
    n: int
    doubted_left_out: int
    median: float | None
    median_low: float | None
    """The 95 % confidence interval of the median, by order statistics: null for less than 6 values."""
    median_high: float | None


class ModalityOfYear(Record):
    """The exams of one modality. A PET-CT is an exam of both."""

    modality: str
    """Of the exam's images, (0008,0060)."""
    exam_count: int
    last_year_exam_count: int
    months: list[int]
    """Exams in each of the twelve months."""
    quantities: list[QuantityOfYear]
    names: list[NameOfYear]
    """At most 100, those with the most exams first."""
    more_names: int
    """Names that are left out for that."""


class DoseOfDevice(Record):
    """The quantity by which a modality is compared, of a device's exams."""

    modality: str
    quantity: str
    phantom: str | None
    n: int
    median: float | None
    p25: float | None
    p75: float | None


class DeviceOfYear(Record):
    """A device in the year."""

    device_key: str
    """Its fingerprint: manufacturer, model, station and serial number."""
    display_name: str | None
    """What people call it; null where nobody named it."""
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    exam_count: int
    doubted_count: int
    """Exams with a doubt about a dose."""
    without_dose_count: int
    """Studies with a series of it of which no object gave a dose."""
    partial_dose_count: int
    """Studies with a dose that lack one which a series of it demands."""
    doses: list[DoseOfDevice]


class LevelsOfYear(Record):
    """How the year's medians stand to the reference levels."""

    held_on: date
    """The levels are those that hold on this day, none superseded: the last of the year, or today before that."""
    level_count: int
    """Of these levels; each is counted once, by what is said of the whole site."""
    above_count: int
    """The whole confidence interval of the median lies above the level."""
    straddles_count: int
    """The level lies within it."""
    below_count: int
    """All of it lies at the level or below."""
    too_few_count: int
    """Fewer exams than the set of levels asks for."""
    no_exams_count: int
    no_standard_name_count: int
    """Nothing is called so here."""
    items: list[Comparison]
    """Of the whole site where there are exams, below it the devices that are above by themselves: at most 100."""
    more: int
    """Left out for that."""


class AlertsOfLevel(Record):
    """The alerts that one level made of exams of the year, as they stand now."""

    level_name: str
    """As it is called now."""
    kind: str
    """`exam`, `cumulative`, `repeat`, `missing` or `outlier`."""
    alert_count: int
    open_count: int
    """Nobody has acknowledged them."""
    acknowledged_count: int
    ended_count: int
    """No longer so, for a dose was corrected, left out or moved, and not acknowledged before."""


class LeftOut(Record):
    """Studies of the year with a dose that are in no figure."""

    phantom_count: int
    qa_count: int
    service_count: int
    void_count: int
    """A person left all of them out."""
    elsewhere_count: int
    """They count in another study."""


class YearlyReport(Record):
    """Doses of one year."""

    year: int
    is_over: bool
    """False of a year whose last day has not come, where the server stands."""
    today: date
    institutions: list[str]
    """Names of institutions, (0008,0080), of its exams: at most 5, those with the most exams first."""
    exam_count: int
    last_year_exam_count: int
    doubted_count: int
    """Exams with a doubt about a dose: what is doubted is in no median."""
    left_out: LeftOut
    without_dose_count: int
    """Studies of dose modalities of which no object gave a dose."""
    partial_dose_count: int
    """Studies with a dose that lack one which their modalities demand."""
    months: list[int]
    """Exams in each of the twelve months."""
    modalities: list[ModalityOfYear]
    """Those with the most exams first."""
    devices: list[DeviceOfYear]
    """Those with the most exams first."""
    levels: LevelsOfYear
    alerts: list[AlertsOfLevel]
    """By level, those with the most alerts first; of a patient's sum or repeats, by the exam that made it so."""
