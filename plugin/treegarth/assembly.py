"""Put together what features offer each other and what the pages, the workers and the commands all need."""

from __future__ import annotations

from functools import cache

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.archive import condition_terms as archive_terms
from treegarth.features.archive.tables import study
from treegarth.features.dose import condition_terms as dose_terms
from treegarth.features.retention import condition_terms as retention_terms
from treegarth.features.routing import condition_terms as routing_terms
from treegarth.features.rules import condition_terms as rules_terms


@cache
def vocabulary() -> Vocabulary:
    """What conditions can speak of: every feature's terms, and every other attribute of a series' header."""
    key = study.c.orthanc_study_id
    return Vocabulary(
        [
            *archive_terms.condition_terms(),
            *dose_terms.condition_terms(key),
            *rules_terms.condition_terms(key),
            *routing_terms.condition_terms(key),
            *retention_terms.condition_terms(key),
        ],
        archive_terms.LEVELS,
        archive_terms.header_term,
    )
