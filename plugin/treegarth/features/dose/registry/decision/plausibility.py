"""What of an exam no patient is given, by the limits of its quantities, and DLP that does not fit its CTDIvol. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from treegarth.features.dose.plausibility import OF_EVENT, TOO_FAR, Limit, Limits
from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.asked import quantities_of
from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.facts import EventFacts, SourceFacts
from treegarth.features.dose.registry.decision.sources import OF_TOTALS
from treegarth.features.dose.registry.rules import DoubtName, Said, What

OF_SIDE = {
    "accumulated_average_glandular_dose_left_mgy": "glandular_dose_left_mgy",
    "accumulated_average_glandular_dose_right_mgy": "glandular_dose_right_mgy",
}
OF_REPORT = {
    **{total: name for total, name in OF_TOTALS.items() if total not in OF_SIDE},
    **OF_SIDE,
    "total_fluoro_time_s": "total_fluoro_time_s",
}
"""The quantity of the exam that each reported total is of."""


def of_best(best: Mapping[str, float], limits: Limits) -> Iterator[tuple[str, Said]]:
    """Best known doses outside their limits."""
    for quantity, value in best.items():
        yield from ((quantity, said) for said in _outside(limits[quantity], "best", value))


def of_totals(documents: Sequence[SourceFacts], limits: Limits) -> Iterator[tuple[str, Said]]:
    """Reported totals outside the limits of an exam, whether they win or not: -99999 loses against the events."""
    for source in documents:
        for total, quantity in OF_REPORT.items():
            value = source.totals.get(total)
            if isinstance(value, int | float):
                yield from ((quantity, one) for one in _outside(limits[quantity], "total", float(value), source))


def of_events(events: Sequence[Cluster], limits: Limits) -> Iterator[tuple[str, Said]]:
    """Numbers of events outside their limits, and DLP that is not about CTDIvol times the length."""
    for cluster in events:
        for account in cluster.accounts:
            yield from _of_account(account, limits)


def _of_account(account: Account, limits: Limits) -> Iterator[tuple[str, Said]]:
    source, event = account.source, account.event
    numbers = dict(event.numbers)
    doses = [one.dlp_mgy_cm for one in event.doses if one.dlp_mgy_cm is not None]
    given = [*numbers.items(), *(("dlp_mgy_cm", dose) for dose in doses if numbers.get("dlp_mgy_cm") != dose)]
    for name, value in given:
        for said in _outside(limits[OF_EVENT[name]], "event", value, source, event.position):
            yield from ((quantity, said) for quantity in _quantities(name, event))
    expected = _expected_dlp(event)
    dlp = numbers.get("dlp_mgy_cm")
    if expected and dlp and not 1 / TOO_FAR <= dlp / expected <= TOO_FAR:
        for what, value in (("event", dlp), ("expected", expected)):
            said = _said("inconsistent", what, value, source, event.position)  # type: ignore[arg-type]
            yield from ((quantity, said) for quantity in ("dlp_mgy_cm", "ctdi_vol_max_mgy"))


def _expected_dlp(event: EventFacts) -> float | None:
    """CTDIvol in mGy times the length in cm; only of scans along the table: elsewhere it is not one length."""
    ctdi_vol = event.numbers.get("mean_ctdi_vol_mgy")
    if ctdi_vol is None or event.length_mm is None or not event.is_scan:
        return None
    return ctdi_vol * event.length_mm / 10


def _quantities(name: str, event: EventFacts) -> list[str]:
    """The exam's quantities into which this number of the event enters."""
    if name == "mean_ctdi_vol_mgy":
        return ["ctdi_vol_max_mgy"]
    stem = {"average_glandular_dose_mgy": "glandular_dose", "dlp_mgy_cm": "dlp"}.get(name, name)
    return [one for one in quantities_of(event) if one.startswith(stem)]


def _outside(
    limit: Limit, what: What, value: float, source: SourceFacts | None = None, position: int = 0
) -> list[Said]:
    if limit.allows(value):
        return []
    edge: What = "least" if value < limit.least else "greatest"
    bound = limit.least if value < limit.least else limit.greatest
    return [
        _said("implausible", what, value, source, position),
        _said("implausible", edge, bound, source, position),
    ]


def _said(name: DoubtName, what: What, value: float, source: SourceFacts | None, position: int) -> Said:
    instance = "" if source is None else source.orthanc_instance_id
    return Said(name=name, what=what, value=value, orthanc_instance_id=instance, position=position)
