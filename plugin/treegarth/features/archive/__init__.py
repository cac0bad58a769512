"""The archive's index: what is in Orthanc, findable in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.conditions.vocabulary import Term
    from treegarth.documents.language import Documents
    from treegarth.web.listing import Listing
    from treegarth.web.metrics import Measure
    from treegarth.web.parts import HealthCheck, PageSection
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction
    from treegarth.work.kinds import Carry, WorkKind

__all__ = ["FEATURE"]


def _terms() -> list[Term]:
    from treegarth.features.archive.condition_terms import condition_terms

    return condition_terms()


def _parts(house: House) -> list[object]:
    return [house.lent.search()]


def _routes() -> list[Route]:
    from treegarth.features.archive import api, pages
    from treegarth.features.archive.charsets import pages as charsets

    return [*api.routes(), *pages.routes(), *charsets.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.archive.pages.instances import INSTANCES
    from treegarth.features.archive.pages.studies import STUDIES

    return [STUDIES, INSTANCES]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.features.archive.tasks import blueprint

    followers = [one.follow_stable() for one in house.features if one.follow_stable is not None]

    def wake() -> None:
        for one in house.features:
            if one.task_after_rest is not None:
                work.hints.announce(one.task_after_rest())

    return [blueprint(work.context, timedelta(seconds=house.settings.stable_seconds), followers, wake)]


def _works() -> list[WorkKind]:
    from treegarth.features.archive.download import DOWNLOADING
    from treegarth.features.archive.works import COMPARING, MENDING, RELABELLING

    return [COMPARING, MENDING, RELABELLING, DOWNLOADING]


def _carries(house: House, work: Work) -> Mapping[str, Carry]:
    from treegarth.features.archive.charsets.store import mark_on
    from treegarth.features.archive.download import DOWNLOADING, Downloader
    from treegarth.features.archive.works import RELABELLING
    from treegarth.work.kinds import Outside, Within

    readers = [one.read_again() for one in house.features if one.read_again is not None]
    return {
        DOWNLOADING.name: Outside(act=Downloader(orthanc=work.sending.orthanc, clock=work.sending.clock).work),
        RELABELLING.name: Within(block=lambda connection, work, now: mark_on(connection, work, readers, now)),
    }


def _documents() -> list[Documents[Any]]:
    from treegarth.features.archive.charsets.documents import CHARACTER_SET_DOCUMENTS

    return [CHARACTER_SET_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.archive.row_actions import DOWNLOAD

    return [DOWNLOAD]


def _checks() -> list[HealthCheck]:
    from treegarth.features.archive.pages import health_check

    return [health_check]


def _system_sections() -> list[PageSection]:
    from treegarth.features.archive.pages import progress_section

    return [progress_section]


def _measures() -> list[Measure]:
    from treegarth.features.archive.store.measures import measure

    return [measure]


FEATURE = Feature(
    name="archive",
    terms=_terms,
    parts=_parts,
    routes=_routes,
    listings=_listings,
    documents=_documents,
    tasks=_tasks,
    works=_works,
    carries=_carries,
    row_actions=_row_actions,
    checks=_checks,
    system_sections=_system_sections,
    measures=_measures,
)
