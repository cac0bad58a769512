"""One exam of all its sources: which of them count, and the best known dose of every quantity. Pure.

Facts of sources in, a decision out; the same for every order and repetition of the same sources.

1. `sources.py` decides group by group (CT, X-ray, radiopharmaceuticals) which reports, captured pages and headers
   count, and `clusters.py` which of their items are one event.
2. What lives on in another study (`Elsewhere`: under a corrected patient, or filed twice) is taken out.
3. `quantities.py` takes for each quantity and device the reported total, or the sum of the events; here the devices
   are added, DLP is divided by phantom, planes, breasts and nuclides are kept apart, and what is not certain becomes a
   doubt with a name.
4. `plausibility.py` doubts what no patient is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from treegarth.features.dose.plausibility import BUILT_IN, Limits
from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.acts import NOWHERE, Fate
from treegarth.features.dose.registry.decision.asked import DLP, SUMS, number_of, quantities_of
from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.ctdi_vol import best_account, ctdi_vols
from treegarth.features.dose.registry.decision.elsewhere import Elsewhere, decisions_of, take_out
from treegarth.features.dose.registry.decision.facts import SourceFacts
from treegarth.features.dose.registry.decision.nuclides import meaning_of
from treegarth.features.dose.registry.decision.parts import Phantom, Phantoms, Plane, activities, phantoms, planes
from treegarth.features.dose.registry.decision.plausibility import of_best, of_events, of_totals
from treegarth.features.dose.registry.decision.quantities import (
    Amount,
    added,
    amount_of,
    by_device,
    counted_events,
    said_of,
    worst,
)
from treegarth.features.dose.registry.decision.sameness import devices
from treegarth.features.dose.registry.decision.sources import Resolved, resolve
from treegarth.features.dose.registry.rules import Decision, Doubt, DoubtName, Origin, Rule, Said, summary


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """What was given of one radionuclide; None where it is not told which."""

    radionuclide: str | None
    administered_activity_mbq: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ExamDecision:
    """The exam. `events` and `administrations` are what counts, each once, as its best account has it; `..._accounts`
    are the same with every account of each, the best first. `unattributed` names the quantities of which a part belongs
    to no phantom, nuclide or breast that is told; `evidence` is what speaks for each doubt. `replaced_by` is the study
    in which all of it counts instead: then `best` is what it was; `is_void` where a person left all of it out.
    """

    counted: tuple[str, ...]
    rules: tuple[Rule, ...]
    decisions: tuple[Decision, ...]
    overlapping_kinds: frozenset[str]
    events: tuple[Account, ...]
    administrations: tuple[Account, ...]
    event_accounts: tuple[tuple[Account, ...], ...]
    administration_accounts: tuple[tuple[Account, ...], ...]
    best: Mapping[str, float]
    origin: Mapping[str, Origin]
    doubts: tuple[Doubt, ...]
    evidence: Mapping[Doubt, tuple[Said, ...]]
    planes: tuple[Plane, ...]
    activities: tuple[Activity, ...]
    unattributed: frozenset[str]
    replaced_by: str | None
    is_void: bool = False


def decide_exam(
    sources: Iterable[SourceFacts],
    elsewhere: Elsewhere | None = None,
    limits: Limits = BUILT_IN,
    guests: Iterable[SourceFacts] = (),
) -> ExamDecision:
    """The exam that these sources describe together, with what a person moved here of other studies' (`guests`);
    outside the limits a dose is doubted."""
    elsewhere = elsewhere or Elsewhere()
    acts = elsewhere.acts
    own = {one.orthanc_instance_id: one for one in sources}
    standing = [acts.standing(one) for one in own.values()]
    standing += [acts.standing(one, is_guest=True) for one in guests if one.orthanc_instance_id not in own]
    here = [one for one in standing if one is not None]
    gone = {name: acts.of_source(one) for name, one in own.items() if acts.standing(one) is None}
    decision = _decided(here, elsewhere, limits)
    if not gone:
        return decision
    moved = sorted(fate.study for fate in gone.values() if fate is not None and fate.study != NOWHERE)
    if not here and moved:  # nothing is left: what it was is still shown
        was = _decided([one for name, one in own.items() if _is_moved(gone[name])], Elsewhere(), limits)
        decision = replace(was, replaced_by=moved[0], counted=())
    taken = [acts.decision(own[name]) for name in gone]
    kept = [one for one in decision.decisions if one.orthanc_instance_id not in gone]
    decisions = sorted([*kept, *taken], key=lambda one: one.orthanc_instance_id)
    return replace(
        decision, decisions=tuple(decisions), rules=summary(decisions), is_void=decision.is_void or not (here or moved)
    )


def _is_moved(fate: Fate | None) -> bool:
    return fate is not None and fate.study != NOWHERE


def _decided(sources: Iterable[SourceFacts], elsewhere: Elsewhere, limits: Limits) -> ExamDecision:
    unique = sorted({one.orthanc_instance_id: one for one in sources}.values(), key=lambda one: one.orthanc_instance_id)
    numbers = devices(one.device for one in unique)
    groups = sorted({one.group for one in unique})
    resolved = [resolve([one for one in unique if one.group == group], numbers) for group in groups]
    replaced_by = take_out(resolved, elsewhere)
    return _Deciding(resolved, elsewhere, replaced_by, limits).decision()


PARTS: Mapping[Phantom, str] = {"head": "dlp_head_mgy_cm", "body": "dlp_body_mgy_cm"}


@dataclass(slots=True)
class _Deciding:
    resolved: Sequence[Resolved]
    elsewhere: Elsewhere
    replaced_by: str | None
    limits: Limits
    best: dict[str, float] = field(default_factory=dict)
    origin: dict[str, Origin] = field(default_factory=dict)
    evidence: dict[Doubt, frozenset[Said]] = field(default_factory=dict)
    unattributed: set[str] = field(default_factory=set)

    def decision(self) -> ExamDecision:
        of = [one for group in self.resolved for one in by_device(group)]
        for quantity, asked in SUMS.items():
            self._set(quantity, added(amount_of(asked, one) for one in of))
        self._set_dlp(added(amount_of(DLP, one) for one in of), [phantoms(one, amount_of(DLP, one)) for one in of])
        self._set_ctdi_vol()
        self._flag_glandular_doses_of_no_side()
        found_planes = [plane for one in of for plane in planes(one)]
        self._set_dose_rp(found_planes)
        given = self._set_activity()
        self._flag_repeated_uids()
        self._flag_elsewhere()
        self._flag_implausible()
        decisions = decisions_of(self.resolved, self.elsewhere)
        events = [one for group in self.resolved for one in counted_events(group) if not one.is_elsewhere]
        return ExamDecision(
            counted=tuple(sorted(one.orthanc_instance_id for one in decisions if one.counted)),
            rules=summary(decisions),
            decisions=tuple(sorted(decisions, key=lambda one: one.orthanc_instance_id)),
            overlapping_kinds=self._overlapping_kinds(),
            events=tuple(best_account(one) for one in events if not _is_administration(one)),
            administrations=tuple(best_account(one) for one in events if _is_administration(one)),
            event_accounts=tuple(_best_first(one) for one in events if not _is_administration(one)),
            administration_accounts=tuple(_best_first(one) for one in events if _is_administration(one)),
            best=self.best,
            origin=self.origin,
            doubts=tuple(sorted(self.evidence)),
            evidence={doubt: tuple(sorted(self.evidence[doubt], key=_order)) for doubt in sorted(self.evidence)},
            planes=tuple(found_planes),
            activities=given,
            unattributed=frozenset(self.unattributed),
            replaced_by=self.replaced_by,
            is_void=bool(decisions) and all(one.rule is Rule.VOIDED for one in decisions),
        )

    def _set(self, quantity: str, amount: Amount) -> None:
        if amount.value is None or amount.origin is None:
            if amount.is_partial:
                self._doubt(quantity, "partial_total", amount.said)
            return
        self.best[quantity], self.origin[quantity] = amount.value, amount.origin
        flags: tuple[tuple[bool, DoubtName], ...] = (
            (amount.is_partial, "partial_total"),
            (amount.disagrees, "reports_disagree"),
            (amount.is_sampled, "sampled"),
            (any(one.name == "total_differs" for one in amount.said), "total_differs"),
        )
        for holds, name in flags:
            if holds:
                self._doubt(quantity, name, amount.said)

    def _doubt(self, quantity: str, name: DoubtName, said: Iterable[Said] = ()) -> None:
        doubt = Doubt(quantity=quantity, name=name)
        self.evidence[doubt] = self.evidence.get(doubt, frozenset()) | {one for one in said if one.name == name}

    def _set_dlp(self, whole: Amount, parts: Sequence[Phantoms]) -> None:
        """16 and 32 cm stand together only in a total that a report gives; there localizers are no reason for doubt."""
        seen = {name for one in parts for name in one.amounts}
        loose = any(one.is_loose for one in parts)
        of_scans = {name for one in parts for name in set(one.amounts) - one.of_localizers}
        if len(of_scans if whole.origin == "reported" else seen) > 1 or (seen and loose and whole.origin != "reported"):
            values = {name: added([one.amounts[name] for one in parts if name in one.amounts]).value for name in seen}
            said = (Said(name="phantoms_mixed", what="part", of=name, value=value) for name, value in values.items())
            self._doubt("dlp_mgy_cm", "phantoms_mixed", said)
        if len(seen) < 2 or whole.origin == "reported":
            self._set("dlp_mgy_cm", whole)
        for name, quantity in PARTS.items():
            amount = added([one.amounts[name] for one in parts if name in one.amounts])
            missing = whole.is_partial or any(one.is_loose for one in parts)
            self._set(quantity, Amount(
                value=amount.value, origin="partial" if missing and amount.origin else amount.origin,
                is_partial=amount.is_partial or missing, disagrees=amount.disagrees or whole.disagrees,
                said=amount.said | whole.said if name in seen else amount.said,
            ))  # fmt: skip
        if loose or "other" in seen:
            self.unattributed.add("dlp_mgy_cm")

    def _set_ctdi_vol(self) -> None:
        """The greatest of all events; of a device whose reports give none, that of its images."""
        amounts = [one for group in self.resolved for of in by_device(group) for one in ctdi_vols(of)]
        known = [one for one in amounts if one.value is not None]
        if known:
            partial = any(one.is_missing or one.is_partial for one in amounts)
            self._set("ctdi_vol_max_mgy", Amount(
                value=max(one.value or 0.0 for one in known),
                origin="partial" if partial else worst(one.origin for one in known),
                is_partial=partial,
                disagrees=any(one.disagrees for one in known),
                is_sampled=any(one.is_sampled for one in known),
                said=said_of(amounts),
            ))  # fmt: skip

    def _flag_glandular_doses_of_no_side(self) -> None:
        """A dose of both breasts, or of one that is not told, is in no sum."""
        for group in self.resolved:
            loose = [one for one in group.documents if number_of(one, "accumulated_average_glandular_dose_both_mgy")]
            events = [
                one
                for one in counted_events(group)
                if not one.is_elsewhere and any(_has_dose_of_no_side(account) for account in one.accounts)
                and all(account.event.side is None for account in one.accounts)
            ]  # fmt: skip
            for side in ("left", "right"):
                quantity = f"glandular_dose_{side}_mgy"
                if (loose or events) and self.origin.get(quantity) != "reported":
                    self._doubt(quantity, "partial_total")
                    self.unattributed.add(quantity)

    def _set_dose_rp(self, found: Sequence[Plane]) -> None:
        """That of the plane with the most: the planes of a system have reference points of their own."""
        amounts = [one.dose_rp for one in found]
        known = [one for one in amounts if one.value is not None]
        if known:
            most = max(known, key=lambda one: one.value or 0.0)
            partial = any(one.is_partial or one.is_missing for one in amounts)
            self._set("dose_rp_gy", Amount(
                value=most.value, origin="partial" if partial else most.origin, is_partial=partial,
                disagrees=any(one.disagrees for one in known),
                said=said_of(amounts),
            ))  # fmt: skip

    def _set_activity(self) -> tuple[Activity, ...]:
        """The sum within one radionuclide; of several there is no sum."""
        by_nuclide = activities(one for group in self.resolved for one in by_device(group))
        known = {nuclide: one for nuclide, one in by_nuclide.items() if one.value is not None}
        whole = added(by_nuclide.values())
        if len(by_nuclide) == 1:
            self._set("administered_activity_mbq", whole)
        elif None in by_nuclide or any(
            one.is_partial or one.is_missing or one.disagrees for one in by_nuclide.values()
        ):
            name: DoubtName = "reports_disagree" if whole.disagrees else "partial_total"
            self._doubt("administered_activity_mbq", name, whole.said)
        if None in by_nuclide:
            self.unattributed.add("administered_activity_mbq")
        return tuple(
            Activity(radionuclide=meaning_of(nuclide) or nuclide if nuclide else None,
                     administered_activity_mbq=one.value or 0.0)
            for nuclide, one in sorted(known.items(), key=lambda entry: entry[0] or "")
        )  # fmt: skip

    def _flag_repeated_uids(self) -> None:
        for group in self.resolved:
            counted = set(map(id, counted_events(group)))
            for source, event in group.clusters.repeated_uids:
                clusters = group.clusters.of(source)
                if any(id(one) in counted for one in clusters):
                    said = Said(
                        name="event_uid_repeated", what="event", position=event.position,
                        orthanc_instance_id=source.orthanc_instance_id,
                    )  # fmt: skip
                    for quantity in quantities_of(event):
                        self._doubt(quantity, "event_uid_repeated", [said])

    def _flag_elsewhere(self) -> None:
        for group in self.resolved:
            for cluster in group.clusters.all:
                study = self.elsewhere.study_of(cluster) if cluster.accounts else None
                if study in self.elsewhere.same_patient:
                    for quantity in quantities_of(cluster.accounts[0].event):
                        self._doubt(quantity, "in_another_study")

    def _flag_implausible(self) -> None:
        for group in self.resolved:
            here = [one for one in counted_events(group) if not one.is_elsewhere]
            for found in (of_totals(group.documents, self.limits), of_events(here, self.limits)):
                for quantity, said in found:
                    if quantity in self.best or quantity not in PARTS.values():
                        self._doubt(quantity, said.name, [said])
        for quantity, said in of_best(self.best, self.limits):
            self._doubt(quantity, said.name, [said])
            if quantity == "dlp_mgy_cm":  # what the whole is not believed of, no part of it is
                for part in set(PARTS.values()) & self.best.keys():
                    self._doubt(part, said.name, [said])

    def _overlapping_kinds(self) -> frozenset[str]:
        overlapping = {
            one.orthanc_instance_id
            for group in self.resolved
            for one in group.decisions
            if one.rule is Rule.OVERLAPPING
        }
        return frozenset(
            source.kind
            for group in self.resolved
            for source in group.documents
            if source.orthanc_instance_id in overlapping
        )


def _order(said: Said) -> tuple[object, ...]:
    return said.orthanc_instance_id, said.position, said.what, said.of, said.value is None, said.value or 0.0


def _best_first(event: Cluster) -> tuple[Account, ...]:
    best = best_account(event)
    return (best, *(one for one in event.accounts if one is not best))


def _is_administration(event: Cluster) -> bool:
    return event.accounts[0].source.group == "radiopharmaceutical"


def _has_dose_of_no_side(account: Account) -> bool:
    return bool(account.event.numbers.get("average_glandular_dose_mgy")) and account.event.side is None
