"""The archive's pages: today, studies, a study. Reads only; everything a page shows is in its address."""

from __future__ import annotations

from collections.abc import Sequence

from treegarth.features.archive.pages import studies, study, today
from treegarth.features.archive.pages.progress import progress_section
from treegarth.features.archive.pages.viewer import ViewerGate, health_check
from treegarth.web.parts import HealthCheck, StudyAddress, StudySection
from treegarth.web.routes import Route

__all__ = ["ViewerGate", "health_check", "progress_section", "routes"]


def routes(
    *,
    study_sections: Sequence[StudySection] = (),
    kept_elsewhere: Sequence[StudyAddress] = (),
    checks: Sequence[HealthCheck] = (),
) -> list[Route]:
    """The pages, with the sections that other features lend to a study, what they keep of studies that are gone, and
    their findings for today's health."""
    return [*today.routes(checks), *studies.routes(), *study.routes(study_sections, kept_elsewhere)]
