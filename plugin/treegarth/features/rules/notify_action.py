"""The action `notify`: write down that somebody is to be told. Sending is done elsewhere, by whoever reads the rows.

What is told holds no patient's name or identifier: it leaves the house by e-mail and webhook. It names the rule and the
study's UID, by which a person with a login opens the study.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from treegarth.conditions.action import Action, Occasion, Problem
from treegarth.features.rules.store.notifications import add_notifications
from treegarth.phrases import N_, P_

KEYS = ("dashboard", "email", "webhook", "title", "again")
LONGEST_TITLE = 200
MOST_TARGETS = 20
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+|[^@\s,;<>\"]+@localhost")


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """Whom to tell: the dashboard, e-mail addresses, webhooks by name. Only on a study's first match, or `again`."""

    dashboard: bool = False
    email: tuple[str, ...] = ()
    webhook: tuple[str, ...] = ()
    title: str = ""
    again: bool = False

    def targets(self) -> list[tuple[str, str]]:
        """Each channel and target."""
        dashboard = [("dashboard", "")] if self.dashboard else []
        return [*dashboard, *(("email", one) for one in self.email), *(("webhook", one) for one in self.webhook)]


class NotifyAction(Action[Notice]):
    """`notify: dashboard`, `notify: {email: [a@example.org], webhook: ris, title: ..., again: true}`."""

    name = "notify"
    meaning = N_("tell somebody: on the dashboard, by e-mail, by webhook")

    def __init__(self, *, webhooks: Iterable[str], has_mail: bool) -> None:
        self._webhooks = tuple(webhooks)
        self._has_mail = has_mail

    def parse(self, document: object, place: str, problems: list[Problem]) -> Notice | None:
        given = {"dashboard": True} if document in ("dashboard", None) else document
        if not isinstance(given, Mapping):
            right = P_("Write notify: dashboard, or notify: {email: [...], webhook: NAME}.")
            problems.append(Problem(place=place, wrong=P_("does not say whom to tell."), right=right))
            return None
        before = len(problems)
        for key in given:
            if key not in KEYS:
                right = P_("Known: %(known)s.", known=", ".join(KEYS))
                problems.append(Problem(place=f"{place}.{key}", wrong=P_("is not known."), right=right))
        notice = Notice(
            dashboard=_truth(given, "dashboard", place, problems),
            email=self._email(given, place, problems),
            webhook=self._webhook(given, place, problems),
            title=_title(given, place, problems),
            again=_truth(given, "again", place, problems),
        )
        if len(problems) == before and not notice.targets():
            right = P_("Add dashboard, email or webhook.")
            problems.append(Problem(place=place, wrong=P_("tells nobody."), right=right))
        return notice if len(problems) == before else None

    def document(self, spec: Notice) -> object:
        if spec == Notice(dashboard=True):
            return "dashboard"
        given: dict[str, Any] = {"dashboard": True} if spec.dashboard else {}
        for key in ("email", "webhook"):
            names = getattr(spec, key)
            if names:
                given[key] = names[0] if len(names) == 1 else list(names)
        return given | ({"title": spec.title} if spec.title else {}) | ({"again": True} if spec.again else {})

    def describe(self, spec: Notice) -> str:
        ways = [P_("on the dashboard")] if spec.dashboard else []
        ways += [P_("by e-mail to %(names)s", names=", ".join(spec.email))] if spec.email else []
        ways += [P_("by the webhook %(names)s", names=", ".join(spec.webhook))] if spec.webhook else []
        if spec.again:
            return P_("tells %(ways)s each time", ways=tuple(ways))
        return P_("tells %(ways)s", ways=tuple(ways))

    def carry_out(self, connection: Connection, spec: Notice, occasion: Occasion) -> str:
        if not (occasion.is_first or spec.again):
            return P_("told before")
        content = {
            "event": "rule matched",
            "rule": occasion.rule_name,
            "why": occasion.why,
            "trigger": occasion.trigger,
            "study_instance_uid": occasion.study_instance_uid,
            "orthanc_study_id": occasion.orthanc_study_id,
            "asked_by": occasion.asked_by,
            "at": occasion.now.isoformat(),
        }
        title = spec.title or occasion.rule_name
        count = add_notifications(connection, occasion, spec.targets(), title=title, content=content)
        return P_("1 notice to be told") if count == 1 else P_("%(count)s notices to be told", count=count)

    def _email(self, given: Mapping[str, Any], place: str, problems: list[Problem]) -> tuple[str, ...]:
        addresses = _names(given, "email", place, problems)
        for address in addresses:
            if not _ADDRESS.fullmatch(address) or not address.isascii():
                right = P_("Write one like physics@example.org.")
                wrong = P_("%(name)s is no address.", name=address)
                problems.append(Problem(place=f"{place}.email", wrong=wrong, right=right))
        if addresses and not self._has_mail:
            right = P_("Set Treegarth.Mail, or tell by webhook or dashboard.")
            problems.append(Problem(place=f"{place}.email", wrong=P_("no mail server is set."), right=right))
        return addresses

    def _webhook(self, given: Mapping[str, Any], place: str, problems: list[Problem]) -> tuple[str, ...]:
        names = _names(given, "webhook", place, problems)
        for name in names:
            if name not in self._webhooks:
                known = ", ".join(self._webhooks) or "–"
                right = P_("Set it in Treegarth.Webhooks. There: %(known)s.", known=known)
                wrong = P_("%(name)s is not known.", name=name)
                problems.append(Problem(place=f"{place}.webhook", wrong=wrong, right=right))
        return names


def _names(given: Mapping[str, Any], key: str, place: str, problems: list[Problem]) -> tuple[str, ...]:
    value = given.get(key) or []
    items = value if isinstance(value, list) else [value]
    if len(items) > MOST_TARGETS or not all(isinstance(item, str) and item.isprintable() for item in items):
        right = P_("Write one, or a list of at most %(most)s.", most=MOST_TARGETS)
        problems.append(Problem(place=f"{place}.{key}", wrong=P_("is no list of texts."), right=right))
        return ()
    return tuple(dict.fromkeys(items))


def _truth(given: Mapping[str, Any], key: str, place: str, problems: list[Problem]) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        right = P_("Write true or false.")
        problems.append(Problem(place=f"{place}.{key}", wrong=P_("is no truth."), right=right))
    return value is True


def _title(given: Mapping[str, Any], place: str, problems: list[Problem]) -> str:
    title = given.get("title", "")
    if not isinstance(title, str) or len(title) > LONGEST_TITLE or not (title == "" or title.isprintable()):
        right = P_("One line of at most %(most)s characters.", most=LONGEST_TITLE)
        problems.append(Problem(place=f"{place}.title", wrong=P_("cannot be a title."), right=right))
        return ""
    return title
