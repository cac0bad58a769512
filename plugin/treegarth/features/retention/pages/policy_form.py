"""A policy while it is edited: its form, its text, and the document that either means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel

from treegarth.conditions.model import Level
from treegarth.conditions.values import write_value
from treegarth.features.retention.model import DEFAULT_GRACE, DEFAULT_MINIMUM_AGE, Since
from treegarth.features.retention.policy_text import DOSE_AND_REPRESENTATIVES, KEYS, NO_PROOF, NOTHING
from treegarth.phrases import N_, P_
from treegarth.web.condition_form import LEVELS, ConditionForm
from treegarth.web.condition_form import acted as condition_acted
from treegarth.web.condition_tree import Group, Row, read_group, write_group
from treegarth.web.forms import SentFields, Shown, Typed, acted, begun, document_of, numbered, sent_values, typed_of

KEPT = "k"
"""The path of the condition of what stays; that of the studies has the usual one."""
KEPT_LEVELS: Mapping[Level, str] = {level: label for level, label in LEVELS.items() if level is not Level.STUDY}
SINCE = {
    Since.RECEIVED: N_("when it was received"),
    Since.STUDY_DATE: N_("the study date"),
    Since.LAST_USE: N_("the last use"),
}
_SIZES = {"GB": "GB", "TB": "TB", "MB": "MB"}
_AFTER = re.compile(r"(\S+ \w+) since (received|study date|last use)")
_HOURS = re.compile(r"(\d\d:\d\d) ?- ?(\d\d:\d\d)")
_SHARE = re.compile(r"(\S+?) ?%")

Example = Literal["dose", "age", "space"]
EXAMPLES: dict[Example, tuple[str, str, dict[str, Any]]] = {
    "dose": (
        N_("Dose and one image per series"),
        N_("the rest goes 90 days after it was received, once it is proved to be in the long-term archive"),
        {
            "name": "old CT images",
            "why": "the long-term archive keeps them; here the dose and one image of each series are enough",
            "if": {"all": ["Modality = CT"]},
            "keep": "dose and one image per series",
            "after": "90 days since received",
            "grace": "7 days",
            "hours": "22:00-06:00",
        },
    ),
    "age": (
        N_("By age alone"),
        N_("everything of a study goes ten years after its date, once it is proved to be in the long-term archive"),
        {
            "name": "ten years",
            "why": "the law asks for ten years; the long-term archive keeps them longer",
            "keep": "nothing",
            "after": "10 years since study date",
            "grace": "30 days",
        },
    ),
    "space": (
        N_("Free space between two marks"),
        N_("above the high mark the least used go, until the low one is reached"),
        {
            "name": "free space",
            "why": "the disk has 1 TB",
            "keep": "dose and one image per series",
            "space": {"high": "800 GB", "low": "700 GB"},
            "minimum age": "30 days",
            "grace": "1 day",
        },
    ),
}


class Demand(BaseModel):
    """A destination that must be proved to have what goes."""

    at: Annotated[str, Shown(N_("Destination"), choices={"": N_("choose one")})]
    within: Annotated[timedelta, Shown(N_("proved within the last"), begins="1 days")]


class PolicyFields(BaseModel):
    """What the form asks for beside conditions."""

    name: Annotated[str, Shown(N_("Name"))]
    why: Annotated[str, Shown(N_("Why"), example=N_("one sentence for the colleague who finds it in two years"))]
    keeps_dose: Annotated[bool, Shown(N_("the dose objects, and one image of each series"))] = True
    after: Annotated[timedelta | None, Shown(N_("Goes when older than"), N_("no age if empty"), begins="90 days")]
    since: Annotated[Since, Shown(N_("counted from"), choices=SINCE)] = Since.RECEIVED
    high: Annotated[str | None, Shown(N_("When the archive takes more than"), N_("no marks if empty"), units=_SIZES)]
    low: Annotated[str | None, Shown(N_("the least used go, until it takes"), units=_SIZES)]
    minimum_age: Annotated[
        timedelta,
        Shown(N_("Minimum age"), N_("nothing that arrived later is touched"), begins=write_value(DEFAULT_MINIMUM_AGE)),
    ]
    demands: Annotated[tuple[Demand, ...] | None, Shown(N_("Places that must be proved to have it"))]
    grace: Annotated[
        timedelta,
        Shown(
            N_("Period of grace"),
            N_("marked, and can be rescued, before it is deleted"),
            begins=write_value(DEFAULT_GRACE),
        ),
    ]
    begin: Annotated[str | None, Shown(N_("Deletes only from"), N_("at any time if empty"), type="time")]
    end: Annotated[str | None, Shown(N_("to"), type="time")]
    rate: Annotated[int | None, Shown(N_("Objects a minute, at most"), N_("600 if empty"))]
    share: Annotated[
        float | None,
        Shown(N_("Ask twice above"), N_("the share of the archive that needs its number typed; 10 if empty"), unit="%"),
    ]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What stands in the form, or in the text."""

    tab: Literal["form", "text"] = "form"
    typed: Typed
    condition: Group
    kept: Group | None = None
    text: str = ""

    @property
    def shown_text(self) -> str:
        """The text, where that is what is shown."""
        return self.text if self.tab == "text" else ""

    @property
    def without_proof(self) -> bool:
        return self.typed.get("proof") == (NO_PROOF,)

    @property
    def knows_only_copy(self) -> bool:
        """Whether it was confirmed that the only copy may go."""
        return self.typed.get("only_copy") == ("true",)


class CannotBeShown(ValueError):
    """The text says what the form has no place for."""


PLACES = {
    **{name: name for name in ("name", "why", "grace", "after", "rate")},
    "keep": "keeps_dose",
    "space": "high",
    "minimum age": "minimum_age",
    "proof": "proof",
    "hours": "begin",
    "ask twice above": "share",
    "proof.at": "demands.0.at",
    "proof.within": "demands.0.within",
    "only copy": "only_copy",
}
"""The input of each place of the document."""


def blank() -> Draft:
    return Draft(typed={**begun(PolicyFields), **_a_demand()}, condition=Group(parts=(Row(),)))


def _a_demand() -> Typed:
    return acted({"proof": ("demands",)}, "add-row demands", PolicyFields)


def read_draft(sent: SentFields, conditions: ConditionForm) -> Draft:
    """The draft of a form that was sent. Raises ConditionRefused for more or deeper parts than a condition may have."""
    typed = sent_values(sent)
    return Draft(
        tab="text" if sent.get("tab", "") == "text" else "form",
        typed=numbered(typed, "demands"),
        condition=conditions.read(sent),
        kept=conditions.read(sent, KEPT) if f"{KEPT}.join" in sent else None,
        text=sent.get("text", "").replace("\r\n", "\n"),
    )


def after_button(draft: Draft, act: str) -> Draft:
    """The draft after a button of the form."""
    if act == f"add {KEPT}":
        return replace(draft, kept=Group(level=Level.SERIES, parts=(Row(),)))
    if act == f"remove {KEPT}":
        return replace(draft, kept=None)
    kept = draft.kept and condition_acted(draft.kept, act, KEPT)
    typed = acted(draft.typed, act, PolicyFields)
    return replace(draft, condition=condition_acted(draft.condition, act), kept=kept, typed=typed)


# ---- the form to the document ----


def form_document(draft: Draft, conditions: ConditionForm) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form means, and the form's path of each place of it."""
    said = document_of(draft.typed, PolicyFields)
    studies = write_group(draft.condition, conditions.kind_of)
    found: dict[str, Any] = {"name": said.get("name", ""), "why": said.get("why", "")}
    paths = {**PLACES, **studies.paths}
    if draft.condition.parts and studies.document != {"all": []}:
        found["if"] = studies.document
    keep: list[Any] = [DOSE_AND_REPRESENTATIVES] if said["keeps_dose"] else []
    if draft.kept is not None:
        kept = write_group(draft.kept, conditions.kind_of, place="keep", path=KEPT)
        keep.append(kept.document)
        paths |= {place: path for place, path in kept.paths.items() if place != "keep"}
        paths[f"keep.{draft.kept.level}"] = KEPT
    found["keep"] = keep if len(keep) > 1 else keep[0] if keep else NOTHING
    if "after" in said:
        found["after"] = f"{said['after']} since {said.get('since', Since.RECEIVED)}"
    if "high" in said or "low" in said:
        found["space"] = {name: said.get(name, "") for name in ("high", "low")}
    if "minimum_age" in said:
        found["minimum age"] = said["minimum_age"]
    demands = said.get("demands", [])
    paths |= {
        f"proof[{index}].{name}": f"demands.{index}.{name}"
        for index in range(len(demands))
        for name in ("at", "within")
    }
    if draft.without_proof:
        found["proof"] = NO_PROOF
    elif demands:
        found["proof"] = demands if len(demands) > 1 else demands[0]
    if "grace" in said:
        found["grace"] = said["grace"]
    if "begin" in said or "end" in said:
        found["hours"] = f"{said.get('begin', '')}-{said.get('end', '')}"
    if "rate" in said:
        found["rate"] = said["rate"]
    if "share" in said:
        found["ask twice above"] = f"{draft.typed['share'][0]} %"
    return found, paths


# ---- the document to the form ----


def form_of_document(document: Mapping[str, Any], conditions: ConditionForm) -> Draft:
    """The form of a policy's document. Raises CannotBeShown."""
    unknown = [str(key) for key in document if key not in KEYS]
    if unknown:
        known = ", ".join(KEYS)
        raise CannotBeShown(P_("%(names)s: not known; known are %(known)s", names=", ".join(unknown), known=known))
    flat = {**document, "minimum_age": document.get("minimum age")}
    flat |= _taken("after", document, _AFTER, ("after", "since"))
    flat |= _taken("hours", document, _HOURS, ("begin", "end"))
    flat |= _taken("ask twice above", document, _SHARE, ("share",))
    space = document.get("space")
    flat |= dict(space) if isinstance(space, Mapping) else {}
    keeps_dose, kept = _keep(document.get("keep"), conditions)
    proof = document.get("proof")
    demands = [] if proof in (None, NO_PROOF) else proof if isinstance(proof, list) else [proof]
    if not all(isinstance(one, Mapping) for one in demands):
        raise _cannot("proof")
    shown = PolicyFields.model_fields.keys()
    typed = {key: value for key, value in flat.items() if key in shown and isinstance(value, str | int | float)}
    try:
        condition = read_group(document.get("if") or {"all": []}, conditions.read_comparison)
    except ValueError as error:
        raise CannotBeShown(error.args[0]) from error
    return Draft(
        typed={
            **typed_of({**typed, "keeps_dose": keeps_dose, "demands": demands}, PolicyFields),
            "proof": (NO_PROOF if proof == NO_PROOF else "demands",),
        },
        condition=condition,
        kept=kept,
    )


def _taken(key: str, document: Mapping[str, Any], pattern: re.Pattern[str], names: tuple[str, ...]) -> dict[str, Any]:
    """The inputs that hold a text such as `90 days since received`; empty where there is none."""
    value = document.get(key)
    if value is None:
        return dict.fromkeys(names)
    if (found := pattern.fullmatch(str(value))) is None:
        raise _cannot(key)
    return dict(zip(names, found.groups(), strict=True))


def _keep(given: Any, conditions: ConditionForm) -> tuple[bool, Group | None]:
    keeps_dose, kept = False, None
    for part in given if isinstance(given, list) else [given]:
        if part == DOSE_AND_REPRESENTATIVES:
            keeps_dose = True
        elif isinstance(part, Mapping) and set(part) <= {"series", "instance"} and kept is None:
            try:
                kept = read_group(part, conditions.read_comparison)
            except ValueError as error:
                raise CannotBeShown(error.args[0]) from error
        elif part not in (None, NOTHING):
            raise _cannot("keep")
    return keeps_dose, kept


def _cannot(key: str) -> CannotBeShown:
    return CannotBeShown(P_("The form cannot show what stands under %(key)s. It stays text.", key=key))
