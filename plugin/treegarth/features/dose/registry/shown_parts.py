"""What a report tells beside its events: size-specific doses, dose checks, doses of organs, people. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.registry.shown_quantities import DOSE_CHECK, ORGANS, SHORT, SIZE_SPECIFIC
from treegarth.features.dose.registry.shown_tables import Cell, Line, ShownTable, readable_meaning, shown_table, written
from treegarth.features.dose.registry.store.reports import DoseReport
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall
from treegarth.web.formats import readable_person

Events = Sequence[tuple[int, Values]]
"""Events with their places in the report."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One of the limits of NEMA XR 25: what it is called, and which values of `dose_check` it is made of."""

    label: str
    configured: str
    limit: str
    estimate: str
    unit: str


CHECKS = (
    Check(
        label=N_("Alert, DLP"),
        configured="dlp_alert_value_configured",
        limit="dlp_alert_value_mgy_cm",
        estimate="accumulated_dlp_forward_estimate_mgy_cm",
        unit="mGy·cm",
    ),
    Check(
        label=N_("Alert, CTDIvol"),
        configured="ctdi_vol_alert_value_configured",
        limit="ctdi_vol_alert_value_mgy",
        estimate="accumulated_ctdi_vol_forward_estimate_mgy",
        unit="mGy",
    ),
    Check(
        label=N_("Notification, DLP"),
        configured="dlp_notification_value_configured",
        limit="dlp_notification_value_mgy_cm",
        estimate="dlp_forward_estimate_mgy_cm",
        unit="mGy·cm",
    ),
    Check(
        label=N_("Notification, CTDIvol"),
        configured="ctdi_vol_notification_value_configured",
        limit="ctdi_vol_notification_value_mgy",
        estimate="ctdi_vol_forward_estimate_mgy",
        unit="mGy",
    ),
)
"""Alert values are held against the accumulated estimate, notification values against that of the element."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why somebody went on where a limit would be exceeded."""

    event: int
    reason: str
    persons: list[str]


@dataclass(frozen=True, kw_only=True)
class Said:
    """A fact about the whole report."""

    label: str  # a msgid
    text: str


def size_specific(call: AnyCall, name: str, events: Events) -> ShownTable | None:
    """Every Size Specific Dose Estimate with its method and diameters."""
    lines = [
        Line(values={**estimate, "event": place, "acquisition_protocol": event.get("acquisition_protocol")})
        for place, event in events
        for estimate in _items(event, "size_specific_dose_estimates")
    ]
    return shown_table(call, name, N_("Size-specific dose estimates (SSDE)"), SIZE_SPECIFIC, lines)


def dose_check(call: AnyCall, name: str, events: Events) -> ShownTable | None:
    """Each limit that an event names, against its forward estimate."""
    lines = [
        line
        for place, event in events
        if isinstance(found := event.get("dose_check"), Mapping)
        for check in CHECKS
        if (line := _checked(call, check, found, place, event)) is not None
    ]
    return shown_table(call, name, N_("Dose check"), DOSE_CHECK, lines)


def reasons_of(events: Events) -> list[Reason]:
    """Why it went on, and who decided so, where the report tells either."""
    return [
        Reason(event=place, reason=str(found.get("reason_for_proceeding") or ""), persons=persons_in(found))
        for place, event in events
        if isinstance(found := event.get("dose_check"), Mapping)
        and (found.get("reason_for_proceeding") or found.get("persons"))
    ]


def organ_doses(call: AnyCall, name: str, report: DoseReport) -> ShownTable | None:
    """Doses of organs by administration, and the estimates of a Patient Radiation Dose report."""
    lines = [
        Line(values={**organ, "event": place})
        for place, given in enumerate(report.administrations, start=1)
        for organ in _items(given, "organ_doses")
    ]
    for estimate in _items(report.totals, "radiation_dose_estimates"):
        lines += [Line(values={**estimate, **dose}) for dose in _items(estimate, "doses")]
    return shown_table(call, name, N_("Doses of organs"), ORGANS, lines)


def said_of(report: DoseReport) -> list[Said]:
    """What the report says of itself, and who took part."""
    found = report.report
    names = (
        (N_("Scope"), "scope_of_accumulation"),
        (N_("Procedure reported"), "procedure_reported_code"),
        (N_("Intent"), "intent_code"),
        (N_("Source of the doses"), "source_of_dose_information"),
        (N_("Comment"), "comment"),
    )
    said = [Said(label=label, text=text) for label, name in names if (text := _word(found.get(name)))]
    events = [*report.irradiation_events, *report.administrations]
    people = dict.fromkeys(one for values in (found, *events) for one in persons_in(values))
    return said + ([Said(label=N_("People"), text=Phrase("%(people)s", {"people": tuple(people)}))] if people else [])


def persons_in(values: Mapping[str, Any]) -> list[str]:
    """People as `persons` lists them: the name, and in brackets the role."""
    return [_person(one) for one in _items(values, "persons")]


def _person(one: Mapping[str, Any]) -> str:
    name = readable_person(str(one.get("name") or "")).first
    role = _word(one.get("role_in_procedure")) or _word(one.get("role_in_organization"))
    return Phrase("%(name)s (%(role)s)", {"name": name, "role": role}) if role else name


def _checked(call: AnyCall, check: Check, found: Values, place: int, event: Values) -> Line | None:
    configured, limit, estimate = (found.get(name) for name in (check.configured, check.limit, check.estimate))
    if configured is None and limit is None and estimate is None:
        return None
    own = {"check": _words(Phrase(check.label))}
    for name, value in (("limit", limit), ("estimate", estimate)):
        if isinstance(value, int | float):
            own[name] = Cell(
                texts=[f"{written(call, 'significant', value)} {check.unit}"],
                title=written(call, "all_digits", value),
            )
    if configured is not None:
        own["configured"] = _words(P_("yes") if configured else P_("no"))
    if isinstance(limit, int | float) and isinstance(estimate, int | float):
        own["verdict"] = _words(P_("exceeded") if estimate > limit else P_("within it"))
    return Line(values={"event": place, "acquisition_protocol": event.get("acquisition_protocol")}, own=own)


def _words(text: str) -> Cell:
    return Cell(texts=[text], numeric=False)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_word, value)))
    if isinstance(value, Mapping):
        return readable_meaning(str(value.get("meaning") or value.get("code") or ""))
    text = str(value) if value is not None else ""
    return Phrase(SHORT[text]) if text in SHORT else text


def _items(values: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    found = values.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
