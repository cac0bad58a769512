"""The words of alerts: kinds, states, what was done, and what an alert or a level says in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from treegarth.features.dose.alerts.levels import AlertKind, shown_quantity
from treegarth.features.dose.registry.lacking import LACKING_NAMES
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.signs import State

KIND_NAMES: Mapping[str, str] = {
    "exam": N_("one exam"),
    "cumulative": N_("sum of a patient"),
    "repeat": N_("repeated exams"),
    "missing": N_("missing dose"),
    "outlier": N_("outlier of its name"),
}
KIND_HINTS: Mapping[AlertKind, str] = {
    "exam": N_("A quantity of one exam is above a number."),
    "cumulative": N_("A quantity of all exams of a patient within some days adds up to more than a number."),
    "repeat": N_("A patient has several exams of the same name within some hours."),
    "missing": N_("An exam that should have a dose has none some hours after its last object."),
    "outlier": N_("A quantity of one exam is far above the other exams of its name."),
}
STATE_NAMES: Mapping[str, str] = {
    "open": N_("open"),
    "acknowledged": N_("acknowledged"),
    "ended": N_("no longer so"),
}
STATE_SIGNS: Mapping[str, State] = {"open": "attention", "acknowledged": "ok", "ended": "taken back"}
ACT_NAMES: Mapping[str, str] = {
    "fired": N_("was made"),
    "ended": N_("is no longer so"),
    "again": N_("is so again"),
    "moved": N_("is about another exam or patient now"),
    "acknowledge": N_("acknowledged"),
    "assign": N_("assigned"),
    "comment": N_("comment"),
    "reopen": N_("opened again"),
}
ACT_DONE: Mapping[str, str] = {
    "acknowledge": N_("The alert is acknowledged."),
    "comment": N_("The comment is kept."),
    "reopen": N_("The alert is open again."),
}
"""What is said after an act; whom it is assigned to is said with the name."""


def beside_value(kind: str, details: Mapping[str, Any], exam_count: int) -> str:
    """What a value is of, beside its number: the window, the others."""
    if kind == "cumulative":
        return P_("%(exams)s exams within %(days)s days", exams=exam_count, days=details.get("window_days"))
    if kind == "repeat":
        return P_("exams within %(hours)s hours", hours=_plain(details.get("within_hours")))
    if kind == "outlier":
        return P_("compared with %(others)s other exams", others=details.get("others"))
    if kind == "missing":
        names = tuple(Phrase(LACKING_NAMES[one]) for one in details.get("lacks", ()) if one in LACKING_NAMES)
        return P_("lacks: %(names)s", names=names) if names else ""
    return ""


def in_a_sentence(document: Mapping[str, Any]) -> str:
    """What a level's document says."""
    kind = document["kind"]
    shown = shown_quantity(document.get("quantity") or "")
    said: dict[str, object] = {
        "quantity": Phrase(shown.label),
        "unit": shown.unit,
        "above": _plain(document.get("above")),
    }
    if kind == "exam":
        return P_("%(quantity)s above %(above)s %(unit)s", **said)
    if kind == "cumulative":
        days = document["window_days"]
        return P_("%(quantity)s within %(days)s days above %(above)s %(unit)s", **said, days=days)
    if kind == "repeat":
        hours = _plain(document["within_hours"])
        return P_("%(count)s exams of a name within %(hours)s hours", count=document["at_least"], hours=hours)
    if kind == "missing":
        return P_("no dose after %(hours)s hours", hours=_plain(document["after_hours"]))
    if "percentile" in document:
        percentile = _plain(document["percentile"])
        return P_("%(quantity)s above the percentile %(percentile)s of its name", **said, percentile=percentile)
    return P_("%(quantity)s above the third quartile of its name by %(factor)s interquartile ranges", **said,
              factor=_plain(document["iqr_factor"]))  # fmt: skip


def _plain(number: float | None) -> str:
    """In as few digits as it takes."""
    return "" if number is None else f"{number:.15g}"
