"""Rules as they act: each version's document is read once in a process, and kept. Writes nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from treegarth.errors import DocumentRefused
from treegarth.features.rules.model import Rule
from treegarth.features.rules.store.rules import RULES, StoredRule
from treegarth.features.rules.text import Language, parse_rule

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ActingRule:
    """A stored rule and what it means. `broken` has the problems where it means nothing any more: a webhook that was
    taken out of the settings, an action that this version does not know. Such a rule does nothing."""

    stored: StoredRule
    rule: Rule | None
    broken: tuple[str, ...] = ()


class RuleBook:
    """Reads stored rules, and remembers what each version means. Safe to share between threads."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._known: dict[tuple[int, int], ActingRule] = {}

    def read(self, stored: StoredRule) -> ActingRule:
        """What a stored rule means."""
        key = (stored.id, stored.version)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._parsed(stored)
        return replace(known, stored=stored)

    def all(self, connection: Connection) -> list[ActingRule]:
        """Every rule that was not removed, in order."""
        rules = [self.read(stored) for stored in RULES.all(connection)]
        held = {(one.stored.id, one.stored.version) for one in rules}
        for key in [key for key in list(self._known) if key not in held]:
            self._known.pop(key, None)
        return rules

    def acting(self, connection: Connection) -> Sequence[ActingRule]:
        """The rules that are on and mean something, in order."""
        return [one for one in self.all(connection) if one.stored.is_on and one.rule is not None]

    def _parsed(self, stored: StoredRule) -> ActingRule:
        try:
            written = parse_rule(stored.document, self.language)
        except DocumentRefused as refused:
            logger.error("Rule %d (version %d) does nothing: %s", stored.id, stored.version, refused)
            return ActingRule(stored=stored, rule=None, broken=tuple(one.sentence for one in refused.problems))
        return ActingRule(stored=stored, rule=replace(written.rule, is_on=stored.is_on))
