"""The action `deliver`: wish chosen objects of a study at one or more destinations. The dispatcher does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from treegarth.conditions.action import Action, NotYet, Occasion, Problem
from treegarth.conditions.comparison import Fields
from treegarth.conditions.decision import decide
from treegarth.conditions.model import Condition, Level, Some
from treegarth.conditions.text import condition_document, parse_condition
from treegarth.errors import ConditionRefused, TreegarthError
from treegarth.features.deliveries.destinations import Destination, WantedProof
from treegarth.features.deliveries.selection import MAYBE_DOSE, Candidate, Selection, choose, is_dose
from treegarth.features.deliveries.store.archive_index import read_candidates
from treegarth.features.deliveries.store.destinations import destination_named, missing_destination
from treegarth.features.deliveries.store.requests import DeliveryRequested, chosen_before, request_delivery
from treegarth.phrases import N_, P_, Phrase

DoseObjects = Callable[[Connection, str], tuple[frozenset[str], frozenset[str]]]
"""Of a study: the objects that dose was read from, and those that still wait to be read."""

_FORMS = P_("Write %(known)s, or {series: CONDITION}, or {instance: CONDITION}.", known=", ".join(Selection))
_NOT_READ = P_("Objects that may report dose are not read yet; whether they are to be delivered is known then.")
_PROOFS = P_("Write %(what)s.", what=", ".join(WantedProof))
_WORDS = {
    Selection.ALL: P_("every object"),
    Selection.DOSE: P_("dose objects"),
    Selection.DOSE_AND_ONE: P_("dose objects and one image of each series"),
}


class DoseNotReadYet(NotYet):
    """Whether objects are to be delivered is not known before their dose is read."""


class DestinationMissing(TreegarthError):
    """The destination of a rule is not there any more."""


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """What to deliver where. `condition` chooses series or instances in place of a selection."""

    to: tuple[str, ...]
    objects: Selection = Selection.ALL
    level: Level | None = None
    condition: Condition | None = None
    proof: WantedProof | None = None  # None: what the destination's own setting wants


class DeliverAction(Action[Delivering]):
    """`deliver: NODE`, `deliver: {to: [NODE, OTHER], objects: dose objects, proof: find}`."""

    name = "deliver"
    meaning = N_("deliver objects of the study to destinations")

    def __init__(self, fields: Fields, dose_objects: DoseObjects) -> None:
        self._fields = fields
        self._dose_objects = dose_objects

    def parse(self, document: object, place: str, problems: list[Problem]) -> Delivering | None:
        before = len(problems)
        given: Mapping[str, Any] = document if isinstance(document, Mapping) else {"to": document}
        for key in given.keys() - {"to", "objects", "proof"}:
            right = P_("Known: %(known)s.", known="to, objects, proof")
            problems.append(Problem(place=f"{place}.{key}", wrong=P_("is not known."), right=right))
        to = _names(given.get("to"), f"{place}.to", problems)
        proof = given.get("proof")
        if proof is not None and proof not in [*WantedProof]:
            wrong = P_("%(word)s is no proof.", word=repr(proof))
            problems.append(Problem(place=f"{place}.proof", wrong=wrong, right=_PROOFS))
        objects, level, condition = self._objects(given.get("objects", "all"), f"{place}.objects", problems)
        if len(problems) > before:
            return None
        wanted = None if proof is None else WantedProof(proof)
        return Delivering(to=to, objects=objects, level=level, condition=condition, proof=wanted)

    def _objects(
        self, document: object, place: str, problems: list[Problem]
    ) -> tuple[Selection, Level | None, Condition | None]:
        if isinstance(document, str) and document in set(Selection):
            return Selection(document), None, None
        if isinstance(document, Mapping) and len(document) == 1 and set(document) <= {"series", "instance"}:
            ((name, inner),) = document.items()
            level = Level(name)
            try:
                return Selection.ALL, level, parse_condition(inner, self._fields, f"{place}.{name}", level)
            except ConditionRefused as error:
                problems.extend(error.problems)
                return Selection.ALL, None, None
        wrong = P_("%(word)s chooses no objects.", word=repr(document))
        problems.append(Problem(place=place, wrong=wrong, right=_FORMS))
        return Selection.ALL, None, None

    def document(self, spec: Delivering) -> object:
        to: object = spec.to[0] if len(spec.to) == 1 else list(spec.to)
        found: dict[str, object] = {"to": to}
        if spec.level is not None and spec.condition is not None:
            found["objects"] = {spec.level.value: condition_document(spec.condition)}
        elif spec.objects is not Selection.ALL:
            found["objects"] = spec.objects.value
        if spec.proof is not None:
            found["proof"] = spec.proof.value
        return to if len(found) == 1 else found

    def describe(self, spec: Delivering) -> str:
        what = _WORDS[spec.objects]
        if spec.level is not None:
            is_series = spec.level is Level.SERIES
            what = P_("the objects of the chosen series") if is_series else P_("the chosen objects")
        return P_("delivers %(what)s to %(names)s", what=what, names=", ".join(spec.to))

    def check(self, connection: Connection, spec: Delivering, place: str) -> list[Problem]:
        found = (missing_destination(connection, name, f"{place}.to") for name in spec.to)
        return [problem for problem in found if problem is not None]

    def conditions(self, spec: Delivering) -> Sequence[Condition]:
        if spec.level is None or spec.condition is None:
            return ()
        return (Some(spec.level, spec.condition),)

    def foresee(self, connection: Connection, spec: Delivering, occasion: Occasion) -> str:
        counts = []
        for name in spec.to:
            destination = destination_named(connection, name)
            chosen = self._chosen(connection, spec, occasion, destination) if destination else []
            size = sum(one.size_bytes for one in chosen) / 1e6
            counted = {"count": len(chosen), "size": f"{size:.1f}", "name": name}
            counts.append(P_("%(count)s objects (%(size)s MB) to %(name)s", **counted))
        return P_("would deliver %(what)s", what=tuple(counts))

    def carry_out(self, connection: Connection, spec: Delivering, occasion: Occasion) -> str:
        """Raises DestinationMissing, DoseNotReadYet: the occasion comes again."""
        done = []
        for name in spec.to:
            destination = destination_named(connection, name)
            if destination is None:
                raise DestinationMissing(P_("There is no destination %(name)s any more.", name=name))
            chosen = self._chosen(connection, spec, occasion, destination)
            requested: DeliveryRequested = request_delivery(
                connection,
                destination_id=destination.id,
                objects=chosen,
                proof_wanted=str(spec.proof or destination.proof),
                now=occasion.now,
                rule_id=occasion.rule_id,
                asked_by=occasion.rule_name,
            )
            counted = {"new": requested.new, "count": requested.objects, "name": name}
            done.append(P_("%(new)s of %(count)s objects newly to %(name)s", **counted))
        return done[0] if len(done) == 1 else Phrase("%(done)s", {"done": tuple(done)})

    def _chosen(
        self, connection: Connection, spec: Delivering, occasion: Occasion, destination: Destination
    ) -> list[Candidate]:
        wanted = None if occasion.orthanc_series_ids is None else sorted(occasion.orthanc_series_ids)
        candidates = read_candidates(connection, occasion.orthanc_study_id, wanted)
        if spec.level is not None and spec.condition is not None:
            keys = _fulfilling(spec.level, spec.condition, occasion)
            return [one for one in candidates if {one.orthanc_series_id, one.orthanc_instance_id} & keys]
        if spec.objects is Selection.ALL:
            return candidates
        read, unread = self._dose_objects(connection, occasion.orthanc_study_id)
        if any(one.orthanc_instance_id in unread and one.sop_class_uid in MAYBE_DOSE for one in candidates):
            raise DoseNotReadYet(_NOT_READ)
        before = chosen_before(
            connection,
            destination_id=destination.id,
            rule_id=occasion.rule_id,
            orthanc_study_id=occasion.orthanc_study_id,
        )
        return choose(candidates, spec.objects, read_as_dose=read, represented=_images(before, candidates, read))


def _images(
    before: Mapping[str, Sequence[str]], candidates: Sequence[Candidate], read: frozenset[str]
) -> dict[str, str]:
    """By series, the image that stands for it since the rule looked first."""
    dose = {one.orthanc_instance_id for one in candidates if is_dose(one, read)}
    present = {one.orthanc_instance_id for one in candidates}
    kept = {series: [one for one in ids if one in present and one not in dose] for series, ids in before.items()}
    return {series: sorted(ids)[0] for series, ids in kept.items() if ids}


def _fulfilling(level: Level, condition: Condition, occasion: Occasion) -> set[str]:
    """Orthanc identifiers of the series, or instances, that fulfil the condition."""
    found = set()
    for series in occasion.study.below:
        if level is Level.SERIES:
            if decide(condition, series, occasion.now, level=level, above=[occasion.study]):
                found.add(series.key)
            continue
        above = [series, occasion.study]
        found |= {one.key for one in series.below if decide(condition, one, occasion.now, level=level, above=above)}
    return found


def _names(document: Any, place: str, problems: list[Problem]) -> tuple[str, ...]:
    names = document if isinstance(document, list) else [document]
    if not names or not all(isinstance(one, str) and one.strip() for one in names) or len(set(names)) < len(names):
        right = P_("Write the name of a destination, or a list of names.")
        problems.append(Problem(place=place, wrong=P_("names no destination, or one twice."), right=right))
        return ()
    return tuple(one.strip() for one in names)
