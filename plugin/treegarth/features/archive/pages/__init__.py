"""The archive's pages: today, studies, a study. Reads only; everything a page shows is in its address."""

from __future__ import annotations

from treegarth.features.archive.pages import instance, labels, progress, study, study_choices, today, viewer
from treegarth.features.archive.pages.health import health_check
from treegarth.features.archive.pages.progress import progress_section
from treegarth.features.archive.pages.viewer import ViewerGate, first_series
from treegarth.web.routes import Route

__all__ = ["ViewerGate", "first_series", "health_check", "progress_section", "routes"]


def routes() -> list[Route]:
    """Every page of the archive."""
    return [
        *today.routes(),
        *study.routes(),
        *instance.routes(),
        *labels.routes(),
        *viewer.routes(),
        *progress.routes(),
        *study_choices.routes(),
    ]
