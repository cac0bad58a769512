"""Put together what features offer each other and what the pages, the workers and the commands all need."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features import retention, rules
from treegarth.features.archive import condition_terms as archive_terms
from treegarth.features.deliveries import condition_terms as deliveries_terms
from treegarth.features.deliveries.deliver_action import DeliverAction
from treegarth.features.dose import condition_terms as dose_terms
from treegarth.features.dose.store.dose_objects import dose_objects
from treegarth.features.retention import condition_terms as retention_terms
from treegarth.features.rules import condition_terms as rules_terms
from treegarth.features.rules.yaml_text import dump, read_pieces
from treegarth.host.zone import local_zone
from treegarth.index.tables import study
from treegarth.settings import Settings
from treegarth.web.services import Services


@cache
def vocabulary() -> Vocabulary:
    """What conditions can speak of: every feature's terms, and every other attribute of a series' header."""
    key = study.c.orthanc_study_id
    return Vocabulary(
        [
            *archive_terms.condition_terms(),
            *dose_terms.condition_terms(key),
            *rules_terms.condition_terms(key),
            *deliveries_terms.condition_terms(key),
            *retention_terms.condition_terms(key),
        ],
        archive_terms.LEVELS,
        archive_terms.header_term,
        archive_terms.header_keywords(),
    )


def actions(settings: Settings) -> rules.Actions:
    """What rules can do: every feature's actions, in the order in which the form offers them."""
    return rules.Actions(
        [
            DeliverAction(vocabulary(), dose_objects),
            rules.LabelAction(),
            retention.HoldAction(),
            retention.ReleaseAction(),
            rules.NotifyAction(webhooks=[one.name for one in settings.webhooks], has_mail=settings.mail is not None),
        ]
    )


def rule_language(settings: Settings) -> rules.Language:
    """What rules are written in at this site."""
    return rules.Language(vocabulary=vocabulary(), actions=actions(settings))


def site_zone(settings: Settings) -> ZoneInfo:
    """The zone in which the site's day begins."""
    return ZoneInfo(settings.time_zone) if settings.time_zone else local_zone()


def retention_desk(services: Services) -> retention.Desk:
    """What the API and the pages of retention work with."""
    return retention.Desk(
        services=services,
        vocabulary=vocabulary,
        read_texts=lambda text: [piece.value for piece in read_pieces(text)],
        write_text=dump,
    )
