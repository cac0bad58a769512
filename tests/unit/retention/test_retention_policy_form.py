"""The form and the text of a policy are faces of one document: what is typed in one stands in the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from treegarth.assembly import vocabulary
from treegarth.features.retention.pages.policy_form import (
    EXAMPLES,
    CannotBeShown,
    after_button,
    blank,
    form_document,
    form_of_document,
    read_draft,
)
from treegarth.features.retention.policy_text import parse_policy, policy_document
from treegarth.web.condition_form import ConditionForm

CONDITIONS = ConditionForm(vocabulary())
FULL = {
    "name": "old CT",
    "why": "they are elsewhere",
    "if": {"all": ["Modality = CT", {"any": ["StudyDate older than 2 years", "BodyPartExamined in [HEAD, NECK]"]}]},
    "keep": ["dose and one image per series", {"series": {"all": ["SeriesDescription like '*scout*'"]}}],
    "after": "90 days since last use",
    "space": {"high": "800 GB", "low": "0.5 TB"},
    "minimum age": "3 days",
    "proof": [{"at": "LONGTERM", "within": "30 days"}, {"at": "S3", "within": "1 day"}],
    "grace": "12 hours",
    "hours": "22:00-06:00",
    "rate": 100,
    "ask twice above": "2.5 %",
}
PLAIN = {"name": "x", "why": "y", "keep": "nothing", "proof": "none"}


def through_the_form(document: dict[str, Any]) -> dict[str, Any]:
    return form_document(form_of_document(document, CONDITIONS), CONDITIONS)[0]


def means(document: object) -> object:
    """The canonical document: one day is the same as 1 days."""
    return policy_document(parse_policy(document, CONDITIONS.known))


@pytest.mark.parametrize(
    "document",
    [
        FULL,
        PLAIN,
        {**PLAIN, "proof": {"at": "LONGTERM", "within": "1 day"}},
        {**PLAIN, "keep": {"instance": {"all": ["InstanceNumber != 1"]}}},
        *({**document, "proof": "none"} for _, _, document in EXAMPLES.values()),
    ],
)
def test_the_form_means_what_the_document_said(document: dict[str, Any]) -> None:
    assert means(through_the_form(document)) == means(document)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("after", "soon"),
        ("hours", "at night"),
        ("keep", [{"series": "Modality = CT"}, {"series": "Modality = MR"}]),
        ("keep", "everything"),
        ("proof", "perhaps"),
        ("ask twice above", "many"),
        ("if", 3),
        ("colour", "red"),
    ],
)
def test_what_the_form_has_no_place_for_stays_text(key: str, value: object) -> None:
    with pytest.raises(CannotBeShown):
        form_of_document({**PLAIN, key: value}, CONDITIONS)


def test_what_is_typed_is_read_and_what_is_wrong_has_its_input() -> None:
    sent = MultiDict(
        [
            *(("name", "n"), ("why", "w"), ("c.join", "all"), ("c.0.field", "Modality"), ("c.0.operator", "=")),
            *(("c.0.value", "CT"), ("k.join", "any"), ("k.level", "instance"), ("k.0.field", "InstanceNumber")),
            *(("k.0.operator", "<"), ("k.0.value", "3"), ("after", "2"), ("after.unit", "weeks"), ("proof", "demands")),
            *(("since", "study date"), ("demands.4.at", "NEAR"), ("demands.4.within", ""), ("share", "5")),
        ]
    )
    document, paths = form_document(read_draft(sent, CONDITIONS), CONDITIONS)
    assert document == {
        "name": "n",
        "why": "w",
        "if": {"all": ["Modality = CT"]},
        "keep": {"instance": {"any": ["InstanceNumber < 3"]}},
        "after": "2 weeks since study date",
        "proof": {"at": "NEAR"},
        "ask twice above": "5 %",
    }
    assert (paths["if.all[0]"], paths["keep.instance.any[0]"]) == ("c.0", "k.0")
    assert (paths["proof.within"], paths["ask twice above"]) == ("demands.0.within", "share")


def test_the_buttons_of_both_conditions_and_of_places_change_only_theirs() -> None:
    draft = after_button(blank(), "add k")
    assert draft.kept is not None
    more = after_button(after_button(draft, "add-row k"), "add-row c")
    assert more.kept is not None
    assert (len(more.condition.parts), len(more.kept.parts)) == (2, 2)
    assert after_button(more, "remove k").kept is None
    assert "demands.1.within" in after_button(draft, "add-row demands").typed


def test_a_new_policy_asks_for_a_proof() -> None:
    document = form_document(blank(), CONDITIONS)[0]
    assert document["proof"] == {"within": "1 days"}
    without = replace(blank(), typed={**blank().typed, "proof": ("none",)})
    assert form_document(without, CONDITIONS)[0]["proof"] == "none"
