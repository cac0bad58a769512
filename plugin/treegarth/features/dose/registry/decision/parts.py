"""The parts of an exam's dose that are kept apart: DLP by phantom, X-ray by plane, activity by radionuclide. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from treegarth.features.dose.reading.planes import ALL_PLANES, SINGLE_PLANE, is_of_several, plane_of
from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.facts import BODY, HEAD, EventFacts, SourceFacts
from treegarth.features.dose.registry.decision.quantities import (
    Amount,
    Asked,
    Of,
    added,
    amount_of,
    event_amount,
    valid,
)
from treegarth.features.dose.registry.decision.sameness import close

Phantom: TypeAlias = Literal["head", "body", "other"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Phantoms:
    """A device's DLP by phantom; `is_loose` where some of it names none. `of_localizers` are phantoms to which only
    localizers refer: a few mGy·cm."""

    amounts: Mapping[Phantom, Amount] = field(default_factory=dict)
    is_loose: bool = False
    of_localizers: frozenset[Phantom] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """What one plane of one device gave."""

    acquisition_plane: str
    dose_area_product: Amount
    dose_rp: Amount


def phantoms(of: Of, whole: Amount) -> Phantoms:
    """By the events where each with a dose names its phantom, else by sub-totals, else as far as events go."""
    by_events = _of_events(of)
    if by_events.is_loose or not by_events.amounts or whole.is_partial or whole.is_missing:
        given = _of_sub_totals(of)
        if given is not None:
            return given
    total = _phantom_of_total(of)
    if not by_events.amounts and not by_events.is_loose and whole.value is not None:
        return Phantoms(amounts={total: whole}) if total else Phantoms(is_loose=whole.value > 0)
    if len(by_events.amounts) == 1 and not by_events.is_loose and whole.origin == "reported":
        return Phantoms(amounts=dict.fromkeys(by_events.amounts, whole))
    return by_events


def _of_events(of: Of) -> Phantoms:
    amounts: dict[Phantom, list[Amount]] = {}
    of_scans: set[Phantom] = set()
    is_loose = False
    for event in of.events:
        if event.is_elsewhere:
            continue
        amount = event_amount(_dlp, event, of)
        if not amount.value:
            continue
        account = next(one for one in event.accounts if _dlp(one.event) == amount.value)
        for dose in account.event.doses:
            phantom = phantom_of(dose.phantom) or _phantom_of_others(event.accounts)
            if dose.dlp_mgy_cm and phantom is None:
                is_loose = True
            elif dose.dlp_mgy_cm and phantom is not None:
                value = replace(amount, value=dose.dlp_mgy_cm)
                amounts.setdefault(phantom, []).append(value)
                of_scans |= set() if account.event.is_localizer else {phantom}
    return Phantoms(
        amounts={name: added(found) for name, found in amounts.items()},
        is_loose=is_loose,
        of_localizers=frozenset(set(amounts) - of_scans) if of_scans else frozenset(),
    )


def _of_sub_totals(of: Of) -> Phantoms | None:
    """None where a report that counts gives none, or events stand beside the reports."""
    covered = {id(one) for source in of.documents for one in of.events_of(source)}
    events = [one for one in of.events if _has_dlp(one.accounts)]
    if not of.documents or any(id(one) not in covered or one.is_elsewhere for one in events):
        return None
    amounts: dict[Phantom, list[Amount]] = {}
    is_loose = False
    for source in of.documents:
        given = [*(source.totals.get("dlp_subtotals") or ()), *(source.totals.get("dlp_totals") or ())]
        numbers = [(one, float(one["dlp_mgy_cm"])) for one in given if isinstance(one.get("dlp_mgy_cm"), int | float)]
        if not any(number > 0 for _, number in numbers) or valid(1.0, source) is None:
            return None
        total = source.totals.get("dlp_total_mgy_cm")
        if isinstance(total, int | float) and total > 0 and not close(total, sum(number for _, number in numbers)):
            is_loose = True
        for one, number in numbers:
            phantom = phantom_of(one.get("ctdiw_phantom_type"))
            if phantom is None:
                is_loose |= number > 0
            elif number > 0:
                amounts.setdefault(phantom, []).append(Amount(value=number, origin="reported"))
    return Phantoms(amounts={name: added(found) for name, found in amounts.items()}, is_loose=is_loose)


def phantom_of(words: object) -> Phantom | None:
    if not isinstance(words, str) or not words:
        return None
    return "head" if words == HEAD else "body" if words == BODY else "other"


def _phantom_of_others(accounts: Iterable[Account]) -> Phantom | None:
    """Another report of the same event may name it."""
    named = (phantom_of(dose.phantom) for one in accounts for dose in one.event.doses)
    return next((one for one in named if one is not None), None)


def _phantom_of_total(of: Of) -> Phantom | None:
    named = {phantom_of(one.totals.get("dlp_total_ctdiw_phantom_type")) for one in of.documents}
    return next(iter(named)) if len(named) == 1 else None


def planes(of: Of) -> list[Plane]:
    """Every plane of a device with what it gave; a device without planes has one."""
    by_plane: dict[str, list[Cluster]] = {}
    for event in of.events:
        if any(account.source.kind == "projection" for account in event.accounts):
            by_plane.setdefault(_plane_of(event.accounts), []).append(event)
    names = sorted({*by_plane, *(name for source in of.documents for name in _planes_of(source))})
    found = []
    for name in names:
        of_plane = Of(of.device, of.documents, by_plane.get(name, []), of.resolved)
        plane = Plane(
            acquisition_plane=name,
            dose_area_product=amount_of(
                _asked(name, "dose_area_product_total_gy_m2", "dose_area_product_gy_m2"), of_plane
            ),
            dose_rp=amount_of(_asked(name, "dose_rp_total_gy", "dose_rp_gy"), of_plane),
        )
        if plane.dose_area_product.value is not None or plane.dose_rp.value is not None or plane.dose_rp.is_missing:
            found.append(plane)
    return found if any(one.dose_rp.value is not None for one in found) else [*found, *_together(of)]


def _together(of: Of) -> list[Plane]:
    """Where only a total over planes is told: the plane with the most had at most that."""
    totals = [
        float(value)
        for one in of.documents
        if isinstance(value := one.totals.get("dose_rp_total_gy"), int | float) and value > 0
    ]
    if not totals:
        return []
    amount = Amount(value=max(totals), origin="partial", is_partial=True)
    return [Plane(acquisition_plane=ALL_PLANES, dose_area_product=Amount(), dose_rp=amount)]


def _asked(plane: str, total: str, value: str) -> Asked:
    def of_report(source: SourceFacts) -> float | None:
        given = _planes_of(source).get(plane, {}).get(total)
        return float(given) if isinstance(given, int | float) else None

    return Asked(
        total=of_report,
        value=lambda event: event.numbers.get(value),
        concerns=lambda account: (
            account.source.kind == "projection" and (account.source.is_document or value in account.event.numbers)
        ),  # headers never tell the dose at a reference point
        kind="projection",
    )


def _plane_of(accounts: Iterable[Account]) -> str:
    """As a report of the event names it; a header never does."""
    return next((one.event.plane for one in accounts if one.event.plane), SINGLE_PLANE)


def _planes_of(source: SourceFacts) -> dict[str, Mapping[str, object]]:
    """A report's totals by plane: as it lists them, or its only totals as those of the only plane of its events."""
    given = source.totals.get("planes")
    if isinstance(given, list) and given:
        named: dict[str, Mapping[str, object]] = {}
        for number, one in enumerate(given, start=1):
            name = plane_of(one) or f"Plane {number}"
            if not is_of_several(name):
                named[name] = one
        return named
    told = plane_of(source.totals)
    of_events = {event.plane or SINGLE_PLANE for event in source.events}
    if is_of_several(told) or len(of_events) > 1:
        return {}
    return {next(iter(of_events), told or SINGLE_PLANE): source.totals}


def activities(of: Iterable[Of]) -> dict[str | None, Amount]:
    """The activity that was given of each radionuclide, whatever device tells of it."""
    found: dict[str | None, list[Amount]] = {}
    for one in of:
        for event in one.events:
            if event.accounts[0].source.group == "radiopharmaceutical" and not event.is_elsewhere:
                amount = event_amount(_activity, event, one)
                if event.is_unsure and amount.value is not None:
                    amount = replace(amount, origin="partial", is_partial=True)
                nuclide = next((account.event.nuclide for account in event.accounts if account.event.nuclide), None)
                found.setdefault(nuclide, []).append(amount)
    return {nuclide: added(amounts) for nuclide, amounts in found.items()}


def _activity(event: EventFacts) -> float | None:
    return event.numbers.get("administered_activity_mbq")


def _dlp(event: EventFacts) -> float | None:
    known = [one.dlp_mgy_cm for one in event.doses if one.dlp_mgy_cm is not None]
    return sum(known) if known else None


def _has_dlp(accounts: Iterable[Account]) -> bool:
    return any(_dlp(one.event) for one in accounts)
