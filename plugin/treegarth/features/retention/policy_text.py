"""Policies as documents, as their text form has them: read with every problem at once, and written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from treegarth.conditions.comparison import Fields
from treegarth.conditions.model import Condition, Kind, Level
from treegarth.conditions.text import condition_document, parse_condition
from treegarth.conditions.values import DURATION_RIGHT, read_duration, write_value
from treegarth.errors import ConditionRefused, Problem
from treegarth.features.retention.model import Age, Hours, Keep, Policy, ProofDemand, Since, Space
from treegarth.limits import is_storable
from treegarth.phrases import P_

KEYS = (
    *("name", "why", "if", "keep", "after", "space", "minimum age", "proof"),
    *("grace", "hours", "rate", "ask twice above"),
)
NOTHING, DOSE_AND_REPRESENTATIVES, NO_PROOF = "nothing", "dose and one image per series", "none"
_SIZES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
LARGEST_SIZE_BYTES = 2**63
"""What sums of sizes are kept as."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(MB|GB|TB)")
_AGE = re.compile(r"(.+) since (received|study date|last use)")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d) ?- ?([01]\d|2[0-3]):([0-5]\d)")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")
_SIZE_RIGHT = P_("a size such as 800 GB (MB, GB or TB)")


class PolicyRefused(ConditionRefused):
    """A policy is not valid; `problems` has each place, what is wrong there and what would be right."""


class _Wrong(Exception):
    """A value cannot be read; its text is what would be right."""


def parse_policy(document: object, fields: Fields, place: str = "policy") -> Policy:
    """The policy that a document means. Raises PolicyRefused with every problem."""
    if not isinstance(document, Mapping):
        right = P_("Write its keys: %(keys)s.", keys=", ".join(KEYS))
        raise PolicyRefused([Problem(place, P_("This is no policy."), right)])
    if not is_storable(document):
        right = P_("Leave NUL and half characters out.")
        raise PolicyRefused([Problem(place, P_("holds characters that cannot be kept."), right)])
    reader = _Reader(document, fields, place)
    policy = reader.read()
    if reader.problems:
        raise PolicyRefused(reader.problems)
    return policy


def policy_document(policy: Policy) -> dict[str, Any]:
    """The document that reads as this policy."""
    found: dict[str, Any] = {"name": policy.name, "why": policy.why}
    if policy.condition is not None:
        found["if"] = condition_document(policy.condition)
    found["keep"] = _keep_document(policy.keep)
    if policy.age is not None:
        found["after"] = f"{write_value(policy.age.least)} since {policy.age.since.value}"
    if policy.space is not None:
        found["space"] = {"high": _size(policy.space.high_bytes), "low": _size(policy.space.low_bytes)}
    found["minimum age"] = write_value(policy.minimum_age)
    proofs = [{"at": one.destination, "within": write_value(one.fresh)} for one in policy.proofs]
    found["proof"] = proofs if len(proofs) > 1 else proofs[0] if proofs else NO_PROOF
    found["grace"] = write_value(policy.grace)
    if policy.hours is not None:
        found["hours"] = f"{policy.hours.begin:%H:%M}-{policy.hours.end:%H:%M}"
    found["rate"] = policy.per_minute
    found["ask twice above"] = f"{policy.asks_twice_above * 100:.10g} %"
    return found


def _keep_document(keep: Keep) -> object:
    parts: list[object] = [DOSE_AND_REPRESENTATIVES] if keep.dose_and_representatives else []
    if keep.condition is not None:
        parts.append({keep.level: condition_document(keep.condition)})
    return parts if len(parts) > 1 else parts[0] if parts else NOTHING


def _size(size_bytes: int) -> str:
    for unit in ("TB", "GB", "MB"):
        if size_bytes % _SIZES[unit] == 0:
            return f"{size_bytes // _SIZES[unit]} {unit}"
    return f"{size_bytes / 10**6:.6f}".rstrip("0") + " MB"


class _Reader:
    """Reads a policy's document and collects what is wrong with it."""

    def __init__(self, document: Mapping[Any, Any], fields: Fields, place: str) -> None:
        self._document = document
        self._fields = fields
        self._place = place
        self.problems: list[Problem] = []

    def read(self) -> Policy:
        for key in self._document:
            if key not in KEYS:
                self._refuse(str(key), P_("is not known."), P_("Known: %(known)s.", known=", ".join(KEYS)))
        policy = Policy(
            name=self._words("name", 200),
            why=self._words("why", 2000),
            condition=self._condition("if", Level.STUDY),
            keep=self._keep(),
            age=self._value("after", _age, None),
            space=self._value("space", _space, None),
            proofs=self._proofs(),
            hours=self._value("hours", _hours, None),
        )
        return replace(
            policy,
            minimum_age=self._value("minimum age", _duration, policy.minimum_age),
            grace=self._value("grace", _duration, policy.grace),
            per_minute=self._value("rate", _rate, policy.per_minute),
            asks_twice_above=self._value("ask twice above", _share, policy.asks_twice_above),
        )

    def _refuse(self, key: str, wrong: str, right: str) -> None:
        self.problems.append(Problem(f"{self._place}.{key}", wrong, right))

    def _words(self, key: str, longest: int) -> str:
        value = self._document.get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            right = P_("Write a text of at most %(longest)s characters.", longest=longest)
            self._refuse(key, P_("is missing or no text."), right)
            return ""
        return value.strip()

    def _value(self, key: str, read: Any, otherwise: Any) -> Any:
        if self._document.get(key) is None:
            return otherwise
        try:
            return read(self._document[key])
        except _Wrong as error:
            self._refuse(key, _unread(self._document[key]), P_("Write %(what)s.", what=error.args[0]))
            return otherwise

    def _condition(self, key: str, level: Level) -> Condition | None:
        if self._document.get(key) is None:
            return None
        return self._parsed(self._document[key], f"{self._place}.{key}", level)

    def _parsed(self, document: object, place: str, level: Level) -> Condition | None:
        try:
            return parse_condition(document, self._fields, place, level)
        except ConditionRefused as error:
            self.problems.extend(error.problems)
            return None

    def _keep(self) -> Keep:
        keep = Keep()
        right = P_(
            "Write %(known)s, {series: …} or {instance: …}, or a list of these.",
            known=f"{NOTHING}, {DOSE_AND_REPRESENTATIVES}",
        )
        if "keep" not in self._document:
            self._refuse("keep", P_("is missing."), right)
        for one in _listed(self._document.get("keep", NOTHING)):
            if one == DOSE_AND_REPRESENTATIVES:
                keep = replace(keep, dose_and_representatives=True)
            elif isinstance(one, Mapping) and len(one) == 1 and next(iter(one)) in ("series", "instance"):
                ((level, document),) = one.items()
                if keep.condition is not None:
                    self._refuse("keep", P_("has two conditions."), P_("Join them by any."))
                condition = self._parsed(document, f"{self._place}.keep.{level}", Level(level))
                keep = replace(keep, condition=condition, level=level)
            elif one != NOTHING:
                self._refuse("keep", _unread(one), right)
        return keep

    def _proofs(self) -> tuple[ProofDemand, ...]:
        right = P_("Write {at: DESTINATION, within: 30 days}, a list of these, or none: then the only copy may go.")
        given = self._document.get("proof")
        if given is None:
            self._refuse("proof", P_("is missing."), right)
        if given in (None, NO_PROOF):
            return ()
        found = []
        for index, one in enumerate(_listed(given)):
            key = f"proof[{index}]" if isinstance(given, list) else "proof"
            if not isinstance(one, Mapping) or not set(one) <= {"at", "within"}:
                self._refuse("proof", _unread(one), right)
                continue
            at = one.get("at")
            if not isinstance(at, str) or not at.strip():
                self._refuse(f"{key}.at", P_("names no destination."), P_("Write the name of a destination."))
                continue
            try:
                found.append(ProofDemand(destination=at, fresh=_duration(one.get("within"))))
            except _Wrong as error:
                unread = P_("is missing.") if one.get("within") is None else _unread(one["within"])
                self._refuse(f"{key}.within", unread, P_("Write %(what)s.", what=error.args[0]))
        return tuple(found)


def _unread(value: object) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}: {part}" for key, part in value.items())
    return P_("%(value)s cannot be read.", value=repr(value))


def _listed(value: object) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _duration(value: object) -> timedelta:
    try:
        return read_duration(Kind.MOMENT, str(value))
    except ValueError:
        raise _Wrong(DURATION_RIGHT) from None


def _age(value: object) -> Age:
    match = _AGE.fullmatch(str(value))
    if not match:
        raise _Wrong(P_("an age such as 90 days since received (or since study date, or since last use)"))
    return Age(since=Since(match[2]), least=_duration(match[1]))


def _space(value: object) -> Space:
    if not isinstance(value, Mapping) or set(value) != {"high", "low"}:
        raise _Wrong("{high: 800 GB, low: 700 GB}")
    high, low = (_bytes(value[key]) for key in ("high", "low"))
    if low >= high:
        raise _Wrong(P_("a low mark that is less than the high one"))
    return Space(high_bytes=high, low_bytes=low)


def _bytes(value: object) -> int:
    match = _SIZE.fullmatch(str(value))
    size_bytes = float(match[1]) * _SIZES[match[2]] if match else LARGEST_SIZE_BYTES
    if size_bytes >= LARGEST_SIZE_BYTES:
        raise _Wrong(_SIZE_RIGHT)
    return round(size_bytes)


def _hours(value: object) -> Hours:
    match = _HOURS.fullmatch(str(value))
    if not match:
        raise _Wrong(P_("hours such as 22:00-06:00"))
    first, second, third, fourth = map(int, match.groups())
    return Hours(begin=time(first, second), end=time(third, fourth))


def _rate(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise _Wrong(P_("how many objects may be deleted in a minute, such as 600"))
    return value


def _share(value: object) -> float:
    match = _SHARE.fullmatch(str(value))
    if not match or float(match[1]) > 100:
        raise _Wrong(P_("a share of the archive such as 10 %"))
    return float(match[1]) / 100
