"""What alerts are made of: an exam or a patient above a level, with the exams that make the value. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from treegarth.features.dose.alerts.decision import ExamValue


@dataclass(frozen=True, kw_only=True, order=True)
class Patient:
    """A Patient ID and, where it is given, its issuer (PS3.3 C.7.1.1): whose exams add up."""

    patient_id: str
    issuer_of_patient_id: str | None = None

    @property
    def key(self) -> str:
        """Of the lock that one worker has while it looks at this patient."""
        return f"{self.patient_id}\x1f{self.issuer_of_patient_id or ''}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something above a level."""

    began: ExamValue  # the exam that makes the alert
    exams: Sequence[ExamValue]
    value: float
    limit: float
    patient: Patient | None = None  # of sums and repeats
    grouped_by: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_doubted(self) -> bool:
        return any(one.is_doubted for one in self.exams)


def in_shown_unit(value: float, factor: float) -> float:
    """By the shortest digits of both: 0.0123 Gy·m² are 123 Gy·cm²."""
    return float(Decimal(str(value)) * Decimal(str(factor)))
