"""What a workbook is asked for in an address, by people and by programs, and what that means."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from treegarth.errors import InvalidRequest, NotFound
from treegarth.features.dose.analysis.asked import DaysAsked, End, Modality, days_of
from treegarth.features.dose.analysis.store.names import NamedCount, find_name
from treegarth.features.dose.analysis.wanted import Band
from treegarth.features.dose.analysis.workbook.model import WantedWorkbook
from treegarth.phrases import N_, P_
from treegarth.web.routes import Identifier, Text


class WorkbookAsked(DaysAsked):
    """Which exams."""

    modality: Modality | None = None
    """Of this modality."""
    standard_name: Identifier | None = None
    """The number of a standard name, as `names` gives it; at most one of the three names."""
    exam_name: Identifier | None = None
    """The number of a name of exams."""
    protocol: Identifier | None = None
    """The number of a name of acquisition protocols: exams with such an event, and of their events these."""
    device: Text | None = None
    """The key of one device, as figures by device give it."""
    age_from: End = None
    """Patients of this age in years, and older."""
    age_below: End = None
    """Patients younger than this."""
    weight_from: End = None
    """Patients of this weight in kg, and heavier."""
    weight_below: End = None
    """Patients lighter than this."""

    @property
    def wanted(self) -> WantedWorkbook:
        """Raises InvalidRequest where several names are asked for."""
        if sum(one is not None for one in (self.standard_name, self.exam_name, self.protocol)) > 1:
            raise InvalidRequest(P_("One name can be asked for, not several."))
        exams = replace(
            days_of(self),
            modality=self.modality or None,
            standard_name_id=self.standard_name,
            exam_name_id=self.exam_name,
            device_key=self.device or None,
            age_years=Band(least=self.age_from, below=self.age_below),
            weight_kg=Band(least=self.weight_from, below=self.weight_below),
        )
        return WantedWorkbook(exams=exams, protocol_name_id=self.protocol)

    @property
    def address(self) -> dict[str, str]:
        """What is asked for, as an address has it."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
        return {name: text for name, text in texts.items() if text}


def name_asked_for(connection: Connection, wanted: WantedWorkbook) -> NamedCount | None:
    """The one name; None where every one is meant. Raises NotFound where there is no such name."""
    by_name = wanted.events if wanted.protocol_name_id is not None else wanted.exams
    found = find_name(connection, by_name)
    if found is None and (wanted.is_of_a_name or wanted.protocol_name_id is not None):
        raise NotFound(N_("There is no such name."))
    return found
