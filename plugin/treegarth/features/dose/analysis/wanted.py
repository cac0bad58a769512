"""Which rows of statistics are meant: of what name, of which quantity, in which days, devices and bands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from treegarth.features.dose.quantities import OF_EVENT

if TYPE_CHECKING:
    from sqlalchemy import Select

Level = Literal["exam", "event"]
"""What has the values: exams (`exam_dose`), or irradiation events (`event_dose`)."""

Phantom = Literal["head", "body", "both", "unknown"]
"""The CTDI phantom of a value: 16 cm, 32 cm, some of each (a DLP of an exam), or none that is told."""

BY_PHANTOM: dict[Level, frozenset[str]] = {
    "exam": frozenset(("dlp_mgy_cm", "ctdi_vol_max_mgy")),
    "event": frozenset(("dlp_mgy_cm", "mean_ctdi_vol_mgy")),
}
"""Quantities whose values are of one phantom or another: one distribution has those of one only. The DLP of either
phantom, which an exam has beside its whole one, is a quantity of its own and says its phantom by its name."""

EVENT_QUANTITIES = frozenset(one.column for one in OF_EVENT)


@dataclass(frozen=True, kw_only=True)
class Band:
    """From `least` on, and less than `below`: half-open, so that neighbours share nobody. An end may be open."""

    least: float | None = None
    below: float | None = None


EVERYBODY = Band()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Values of one quantity in its stored unit. What is None does not matter.

    At most one of the three names is given; raises ValueError for several, for a quantity of events that there is not,
    and where the quantity is by phantom and no phantom is named: the two are never mixed.
    """

    quantity: str
    """Of `exam_dose`; of a level `event`, a column of `event_dose` with a dose."""
    level: Level = "exam"
    phantom: Phantom | None = None
    modality: str | None = None
    standard_name_id: int | None = None
    exam_name_id: int | None = None
    protocol_name_id: int | None = None
    """Its values are those of events."""
    study_date_from: date | None = None
    study_date_to: date | None = None
    """Both days are included."""
    device_key: str | None = None
    age_years: Band = EVERYBODY
    weight_kg: Band = EVERYBODY
    with_doubted: bool = False
    """Whether values that are doubted count too."""
    among: Select[Any] | None = None
    """Of studies alone whose Orthanc identifiers this query has."""

    def __post_init__(self) -> None:
        names = (self.standard_name_id, self.exam_name_id, self.protocol_name_id)
        if sum(one is not None for one in names) > 1:
            raise ValueError("One name is asked for, not several.")
        if self.level == "exam" and self.protocol_name_id is not None:
            raise ValueError("A protocol has values of events, not of exams.")
        if self.level == "event" and self.exam_name_id is not None:
            raise ValueError("A name of exams has values of exams, not of events.")
        if self.level == "event" and self.quantity not in EVENT_QUANTITIES:
            raise ValueError(f"No event has the quantity {self.quantity}.")
        if (self.quantity in BY_PHANTOM[self.level]) != (self.phantom is not None):
            raise ValueError(f"The phantom of {self.quantity} has to be said where values are by phantom, only there.")
