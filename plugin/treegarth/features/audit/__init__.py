"""The audit trail for people: who did what, who saw a patient, whether it is all written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.web.listing import Listing
    from treegarth.web.parts import HealthCheck, StudySection

__all__ = ["FEATURE"]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.audit.events import EVENTS

    return [EVENTS]


def _checks() -> list[HealthCheck]:
    from treegarth.features.audit.health import health_check

    return [health_check]


def _study_sections(house: House) -> list[StudySection]:
    from treegarth.features.audit.section import study_section

    return [study_section]


FEATURE = Feature(name="audit", listings=_listings, checks=_checks, study_sections=_study_sections)
