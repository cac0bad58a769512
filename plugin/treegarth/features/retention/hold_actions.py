"""What rules can do with holds: `hold` and `release`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from treegarth.conditions.action import Action, Occasion, Problem
from treegarth.conditions.model import Kind
from treegarth.conditions.values import read_duration, write_value
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.store.holds import release_of_studies, set_holds
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_, P_, Phrase

_UNITS = (N_("minute"), N_("hour"), N_("day"), N_("year"))  # of one; those of several are the form's


@dataclass(frozen=True, kw_only=True)
class HoldSpec:
    """Which hold to set. `lasts` None: until somebody releases it. `reason` empty: the rule's own sentence."""

    kind: HoldKind
    reason: str = ""
    lasts: timedelta | None = None


class HoldAction(Action[HoldSpec]):
    """Forbids that anything of the study is pruned."""

    name = "hold"
    meaning = N_("forbid that anything of the study is pruned")

    def parse(self, document: object, place: str, problems: list[Problem]) -> HoldSpec | None:
        given = document if isinstance(document, Mapping) else {"kind": document}
        before = len(problems)
        for key in given.keys() - {"kind", "reason", "for"}:
            right = P_("Known: %(known)s.", known="kind, reason, for")
            problems.append(Problem(place=f"{place}.{key}", wrong=P_("is not known."), right=right))
        kind = _kind(given.get("kind"), f"{place}.kind", problems)
        reason = _reason(given.get("reason", ""), f"{place}.reason", problems)
        lasts = None
        if given.get("for") is not None:
            try:
                lasts = read_duration(Kind.MOMENT, str(given["for"]))
            except ValueError as error:
                right = P_("Write %(what)s.", what=error.args[0])
                problems.append(Problem(place=f"{place}.for", wrong=P_("cannot be read."), right=right))
        if kind is None or len(problems) > before:
            return None
        return HoldSpec(kind=kind, reason=reason, lasts=lasts)

    def document(self, spec: HoldSpec) -> object:
        if not spec.reason and spec.lasts is None:
            return spec.kind.value
        found: dict[str, object] = {"kind": spec.kind.value}
        if spec.reason:
            found["reason"] = spec.reason
        if spec.lasts is not None:
            found["for"] = write_value(spec.lasts)
        return found

    def describe(self, spec: HoldSpec) -> str:
        kind = P_(str(spec.kind))
        if spec.lasts is None:
            return P_("puts the study on %(kind)s hold", kind=kind)
        return P_("puts the study on %(kind)s hold for %(duration)s", kind=kind, duration=_duration(spec.lasts))

    def carry_out(self, connection: Connection, spec: HoldSpec, occasion: Occasion) -> str:
        new = set_holds(
            connection,
            [StudyKey(orthanc_study_id=occasion.orthanc_study_id, study_instance_uid=occasion.study_instance_uid)],
            kind=spec.kind,
            reason=spec.reason or occasion.why,
            until=None if spec.lasts is None else occasion.now + spec.lasts,
            set_by=occasion.asked_by,
            now=occasion.now,
            rule_id=occasion.rule_id,
        )
        kind = P_(str(spec.kind))
        return P_("%(kind)s hold set", kind=kind) if new else P_("on %(kind)s hold already", kind=kind)


@dataclass(frozen=True, kw_only=True)
class ReleaseSpec:
    """Which holds to end. `kind` None: every one but the legal ones."""

    kind: HoldKind | None


class ReleaseAction(Action[ReleaseSpec]):
    """Ends holds."""

    name = "release"
    meaning = N_("end the study's holds of a kind")

    def parse(self, document: object, place: str, problems: list[Problem]) -> ReleaseSpec | None:
        if document == "all but legal":
            return ReleaseSpec(kind=None)
        kind = _kind(document, place, problems, ["all but legal"])
        return None if kind is None else ReleaseSpec(kind=kind)

    def document(self, spec: ReleaseSpec) -> object:
        return spec.kind.value if spec.kind else "all but legal"

    def describe(self, spec: ReleaseSpec) -> str:
        if spec.kind is None:
            return P_("ends every hold of the study but legal ones")
        return P_("ends the study's %(kind)s holds", kind=P_(str(spec.kind)))

    def carry_out(self, connection: Connection, spec: ReleaseSpec, occasion: Occasion) -> str:
        count = release_of_studies(
            connection,
            [occasion.orthanc_study_id],
            kind=spec.kind,
            released_by=occasion.asked_by or occasion.rule_name,
            now=occasion.now,
        )
        return P_("%(count)s released", count=count)


def _duration(lasts: timedelta) -> Phrase:
    """`5 years`, as the condition language writes it."""
    count, unit = write_value(lasts).split(" ")
    return P_("%(count)s %(unit)s", count=count, unit=P_(unit))


def _reason(value: object, place: str, problems: list[Problem]) -> str:
    if isinstance(value, str) and len(value) <= 1000 and "\0" not in value:
        return value
    right = P_("Write a text of at most 1000 characters.")
    problems.append(Problem(place=place, wrong=P_("is no text."), right=right))
    return ""


def _kind(value: object, place: str, problems: list[Problem], also: Sequence[str] = ()) -> HoldKind | None:
    if isinstance(value, str) and value in set(HoldKind):
        return HoldKind(value)
    wrong = P_("%(word)s is no kind of hold.", word=repr(value))
    right = P_("Write one of %(known)s.", known=", ".join([*HoldKind, *also]))
    problems.append(Problem(place=place, wrong=wrong, right=right))
    return None
