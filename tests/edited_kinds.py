"""Every kind of documents that is edited, with what two editors of one would each write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class EditedKind:
    """A kind, the document that two edit, and where its text stands in the form."""

    path: str
    document: dict[str, Any]
    changed: str  # the part of it that each words otherwise
    values: tuple[Any, Any]
    page: str | None  # None: its page saves over what is there
    said: str = ""  # what a difference calls what was changed, where its page says it in words
    form: dict[str, str] = field(default_factory=dict)


RULE = {"name": "r", "why": "a", "when": "by hand", "if": "Modality = CT", "do": [{"label": "x"}]}
POLICY = {"name": "p", "why": "a", "keep": "nothing", "after": "90 days since received", "proof": "none"}
NODE = {
    "name": "N",
    "kind": "dicom",
    "address": {"host": "192.0.2.10", "port": 4242, "ae_title": "N"},
    "max_attempts": 20,
}
PHANTOM = {"name": "q", "meaning": "qa", "patient_id": "PHANTOM*", "note": "a"}
KINDS = [
    EditedKind(path="rules", document=RULE, changed="why", values=("b", "c"), page="rules"),
    EditedKind(
        path="retention/policies",
        document=POLICY,
        changed="why",
        values=("b", "c"),
        page="retention/policies",
    ),
    EditedKind(
        path="destinations",
        document=NODE,
        changed="max_attempts",
        values=(7, 9),
        page="deliveries/destinations",
    ),
    EditedKind(
        path="dose/not-patients",
        document=PHANTOM,
        changed="note",
        values=("b", "c"),
        page="dose/not-patients",
    ),
]
LIMIT = {"name": "l", "quantity": "dlp_mgy_cm", "greatest": 20000.0, "reason": "a"}
KINDS.append(EditedKind(path="dose/limits", document=LIMIT, changed="reason", values=("b", "c"), page="dose/limits"))
LEVEL = {"name": "a", "kind": "exam", "quantity": "dlp_mgy_cm", "above": 1000.0, "reason": "a"}
KINDS.append(
    EditedKind(path="dose/alert-levels", document=LEVEL, changed="reason", values=("b", "c"), page="dose/alert-levels")
)
CHEST = {"name": "c", "modality": "CT", "code_value": "a", "coding_scheme_designator": "99X", "rules": []}
KINDS.append(
    EditedKind(
        path="dose/standard-names",
        document=CHEST,
        changed="code_value",
        values=("b", "c"),
        page="dose/standard-names",
    )
)
COEFFICIENT = {
    "name": "f",
    "table": "radiopharmaceutical",
    "of": "SCT:35321007",
    "age_group": "5",
    "value": 0.05,
    "source": "a",
}
KINDS.append(
    EditedKind(
        path="dose/coefficients",
        document=COEFFICIENT,
        changed="source",
        values=("b", "c"),
        page="dose/coefficients",
    )
)
NOWHERE = {
    "name": "l",
    "place": "Nowhere",
    "publication": {"authors": "Nobody", "title": "Made up", "year": 2024, "table": "Table 1"},
    "least_exams": 20,
    "note": "a",
    "rows": [],
}
KINDS.append(EditedKind(path="dose/levels", document=NOWHERE, changed="note", values=("b", "c"), page="dose/levels"))
CHART = {
    "name": "c",
    "why": "a",
    "chart": "boxes",
    "quantity": "dlp_body_mgy_cm",
    "modality": "CT",
    "by": "device",
}
KINDS.append(
    EditedKind(
        path="dose/charts", document=CHART, changed="why", values=("b", "c"), page="dose/charts", said="What it shows"
    )
)
KOREAN = {"name": "k", "station_name": "CT1", "really": "ISO 2022 IR 149", "reason": "a"}
KINDS.append(
    EditedKind(path="character-sets", document=KOREAN, changed="reason", values=("b", "c"), page="character-sets")
)
VIEW = {"name": "v", "list": "archive.studies", "query": {"modality": "CT"}, "shared": False}
KINDS.append(
    EditedKind(path="views", document=VIEW, changed="query", values=({"modality": "MR"}, {"modality": "PT"}), page=None)
)
STUDENT = {"name": "a", "permissions": ["see dose"]}
KINDS.append(EditedKind(path="access/roles", document=STUDENT, changed="name", values=("b", "c"), page="access/roles"))
