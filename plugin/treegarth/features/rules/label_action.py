"""The action `label`: put labels on a study, or take them off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from treegarth.conditions.action import Action, Occasion, Problem
from treegarth.index.labels import LONGEST_LABEL, change_labels, is_label
from treegarth.phrases import N_, P_, Phrase

MOST_LABELS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class LabelAction(Action[Labelling]):
    """`label: urgent`, `label: [urgent, checked]`, `label: {add: [...], remove: [...]}`."""

    name = "label"
    meaning = N_("put labels on the study, or take them off")

    def parse(self, document: object, place: str, problems: list[Problem]) -> Labelling | None:
        before = len(problems)
        if isinstance(document, Mapping):
            for key in document:
                if key not in ("add", "remove"):
                    right = P_("Known: %(known)s.", known="add, remove")
                    problems.append(Problem(place=f"{place}.{key}", wrong=P_("is not known."), right=right))
            add = _labels(document.get("add", []), f"{place}.add", problems)
            remove = _labels(document.get("remove", []), f"{place}.remove", problems)
        else:
            add, remove = _labels(document, place, problems), ()
        if len(problems) == before and (not (add or remove) or set(add) & set(remove)):
            right = P_("Write label: NAME, or label: {add: [NAME], remove: [OTHER]}.")
            problems.append(Problem(place=place, wrong=P_("names no label, or one twice."), right=right))
        return Labelling(add=add, remove=remove) if len(problems) == before else None

    def document(self, spec: Labelling) -> object:
        if not spec.remove:
            return spec.add[0] if len(spec.add) == 1 else list(spec.add)
        return ({"add": list(spec.add)} if spec.add else {}) | {"remove": list(spec.remove)}

    def describe(self, spec: Labelling) -> str:
        added = P_("labels the study %(labels)s", labels=", ".join(spec.add))
        removed = P_("takes off the label %(labels)s", labels=", ".join(spec.remove))
        return _both(added if spec.add else None, removed if spec.remove else None) or ""

    def carry_out(self, connection: Connection, spec: Labelling, occasion: Occasion) -> str:
        study = occasion.orthanc_study_id
        by = occasion.asked_by or occasion.rule_name
        added = change_labels(connection, study, spec.add, is_set=True, by=by, now=occasion.now)
        removed = change_labels(connection, study, spec.remove, is_set=False, by=by, now=occasion.now)
        done = _both(
            P_("labelled %(labels)s", labels=", ".join(added)) if added else None,
            P_("took off %(labels)s", labels=", ".join(removed)) if removed else None,
        )
        return done or P_("every label was as it should be")


def _both(one: Phrase | None, other: Phrase | None) -> Phrase | None:
    return P_("%(one)s and %(other)s", one=one, other=other) if one and other else one or other


def _labels(given: object, place: str, problems: list[Problem]) -> tuple[str, ...]:
    items = given if isinstance(given, list) else [given]
    if len(items) > MOST_LABELS or not all(is_label(item) for item in items):
        right = P_(
            "A label has 1 to %(longest)s characters; at most %(most)s at once.",
            longest=LONGEST_LABEL,
            most=MOST_LABELS,
        )
        problems.append(Problem(place=place, wrong=P_("is no label."), right=right))
        return ()
    return tuple(dict.fromkeys(str(item) for item in items))
