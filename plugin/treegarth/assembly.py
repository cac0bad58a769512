"""The house put together: its features, what they lend each other, and what pages, workers and commands all need.

Modules are imported where they are needed: the indexer loops over the features, and wants neither pages nor rules.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from treegarth.feature import House, Lent, Work
from treegarth.features import accounts, archive, audit, deliveries, dose, retention, rules, system, views, works
from treegarth.host.zone import local_zone

if TYPE_CHECKING:
    from treegarth.conditions.vocabulary import Vocabulary
    from treegarth.features.deliveries.copies import Copies
    from treegarth.features.rules.text import Language
    from treegarth.index.study_search import StudySearch
    from treegarth.settings import Settings
    from treegarth.tasks.app import TaskHints

FEATURES = (
    system.FEATURE,
    archive.FEATURE,
    dose.FEATURE,
    deliveries.FEATURE,
    rules.FEATURE,
    retention.FEATURE,
    views.FEATURE,
    works.FEATURE,
    accounts.FEATURE,
    audit.FEATURE,
)
"""In the order in which their findings, sections and actions are shown. One more line is one more feature."""

logger = logging.getLogger(__name__)


@cache
def vocabulary() -> Vocabulary:
    """What conditions can speak of: every feature's terms, and every other attribute of a series' header."""
    from treegarth.conditions.vocabulary import Vocabulary
    from treegarth.features.archive import condition_terms as archive_terms

    return Vocabulary(
        [term for feature in FEATURES for term in feature.terms()],
        archive_terms.LEVELS,
        archive_terms.header_term,
        archive_terms.header_keywords(),
    )


def house(settings: Settings) -> House:
    """All features, at a site with these settings."""
    return House(settings=settings, features=FEATURES, vocabulary=vocabulary, lent=_lent())


def _lent() -> Lent:
    from treegarth.features.archive.store.stale_series import count_stale
    from treegarth.features.deliveries.store.destinations import destination_names, missing_destination
    from treegarth.features.dose.registry.store.dose_objects import dose_objects
    from treegarth.features.dose.registry.store.queue import count_waiting
    from treegarth.features.rules.store.notices import settle
    from treegarth.features.rules.store.notifications import tell_of_study

    return Lent(
        dose_objects=dose_objects,
        destination_names=destination_names,
        missing_destination=missing_destination,
        count_stale=count_stale,
        count_dose_waiting=count_waiting,
        announce_deliveries=_announce_deliveries,
        copies=_copies,
        search=_search,
        tell=tell_of_study,
        settle=settle,
    )


def rule_language(settings: Settings) -> Language:
    """What rules are written in at this site."""
    from treegarth.features.rules.actions import Actions
    from treegarth.features.rules.text import Language

    whole = house(settings)
    return Language(vocabulary=whole.vocabulary(), actions=Actions(whole.actions()))


def site_zone(settings: Settings) -> ZoneInfo:
    """The zone in which the site's day begins."""
    return ZoneInfo(settings.time_zone) if settings.time_zone else local_zone()


def _announce_deliveries(hints: TaskHints) -> None:
    """Have the ledger of deliveries looked at now; without the hint that happens two seconds later."""
    from procrastinate.exceptions import ConnectorException

    from treegarth.features.deliveries.tasks import SWEEP
    from treegarth.tasks.app import NETWORK_QUEUE

    try:
        hints.announce(SWEEP, queue=NETWORK_QUEUE)
    except ConnectorException as error:
        logger.warning("Deliveries were not announced: %s", error)


def _search() -> StudySearch:
    from treegarth.features.archive.search_model import StudyFilter
    from treegarth.features.archive.store.search import conditions
    from treegarth.index.study_search import StudySearch

    return StudySearch(conditions=lambda text: conditions(StudyFilter(text=text)))


def _copies(work: Work) -> Copies:
    """Where retention asks for proof, and gets objects back from."""
    from treegarth.features.deliveries.copies import Copies

    return Copies(engine=work.sending.engine, orthanc=work.sending.orthanc, gate=work.gate)
