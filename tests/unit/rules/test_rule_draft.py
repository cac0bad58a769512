"""The form and the text are faces of one rule: what is typed in one stands in the other, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from treegarth.conditions.model import Field, Kind, Level
from treegarth.features.rules.pages.action_fields import ActionKind, ActionRow, Input, read_action, write_action
from treegarth.features.rules.pages.draft import (
    CannotBeShown,
    Draft,
    Form,
    acted,
    document_text,
    draft_of_document,
    form_document,
    read_draft,
)
from treegarth.web.condition_form import ConditionForm, fitted
from treegarth.web.condition_tree import Group, Join, Row, path_of_place, read_group, write_group

FIELDS = {
    one.name: one
    for one in (
        Field(name="Modality", level=Level.SERIES, kind=Kind.TEXT),
        Field(name="StudyDescription", level=Level.STUDY, kind=Kind.TEXT),
        Field(name="StudyDate", level=Level.STUDY, kind=Kind.DATE),
        Field(name="received_at", level=Level.STUDY, kind=Kind.MOMENT),
        Field(name="dose.dlp_total_mgy_cm", level=Level.STUDY, kind=Kind.NUMBER),
        Field(name="is_arriving", level=Level.STUDY, kind=Kind.TRUTH),
    )
}
DELIVER = ActionKind(
    name="deliver",
    label="deliver",
    inputs=(
        Input(name="to", label="to", kind="many"),
        Input(name="proof", label="proof", kind="choice", choices=(("find", "find"), ("status", "status"))),
        Input(name="again", label="again", kind="truth"),
    ),
)


class KnownFields:
    def field(self, name: str) -> Field | None:
        return FIELDS.get(name)

    def nearest(self, name: str) -> list[str]:
        return []

    def fields(self) -> list[Field]:
        return list(FIELDS.values())


CONDITIONS = ConditionForm(KnownFields())
read, kind_of = CONDITIONS.read_comparison, CONDITIONS.kind_of
FORM = Form(conditions=CONDITIONS, actions=[DELIVER])


@pytest.mark.parametrize(
    "document",
    [
        {"all": ["Modality = CT", "StudyDescription like '*outside scan*'"]},
        {"any": ["Modality in [CT, PT]", {"all": ["dose.dlp_total_mgy_cm > 1000", "is_arriving = false"]}]},
        {"not": {"any": ["StudyDate within 7 days", "received_at older than 2 hours"]}},
        {"series": {"all": ["Modality = CT", "StudyDescription not like *scout*"]}},
        {"all": [{"not": {"series": {"all": ["Modality = SR"]}}}]},
        {"all": ["dose.dlp_total_mgy_cm between 1 and 5.5", "StudyDescription exists"]},
        {"all": ["StudyDescription = 'Alzheimer''s, [late]'", "StudyDescription = and more"]},
        {"all": ["StudyDate between 2026-01-01 and 2026-02-01", "received_at > 2026-11-20T00:00:00"]},
    ],
)
def test_a_condition_survives_the_form(document: Any) -> None:
    written = write_group(read_group(document, read), kind_of).document
    assert written == document
    assert write_group(read_group(written, read), kind_of).document == written


def test_a_comparison_that_is_not_understood_stays_a_row_of_text() -> None:
    group = read_group({"all": ["Modalty = CT"]}, read)
    assert group.parts == (Row(raw="Modalty = CT"),)
    assert write_group(group, kind_of).document == {"all": ["Modalty = CT"]}


def test_negations_become_operators_of_the_row() -> None:
    group = read_group({"all": [{"not": "StudyDescription exists"}, {"not": "Modality in [CT]"}]}, read)
    assert [row.operator for row in group.parts if isinstance(row, Row)] == ["not exists", "not in"]
    assert write_group(group, kind_of).document == {"all": [{"not": "StudyDescription exists"}, "Modality not in [CT]"]}


def test_empty_rows_are_left_out_and_places_lead_to_the_right_fields() -> None:
    inner = Group(join=Join.NONE, parts=(Row(field="Modality", operator="=", values=("",)),))
    written = write_group(Group(parts=(Row(), inner, Row(raw="x y"))), kind_of)
    assert written.document == {"all": [{"not": "Modality ="}, "x y"]}
    assert path_of_place(written.paths, "if.all[0].not") == "c.1.0"
    assert path_of_place(written.paths, "if.all[1]") == "c.2"
    assert path_of_place(written.paths, "if.all[1].like") == "c.2"
    assert path_of_place(written.paths, "do[3]") is None


def test_a_row_keeps_only_what_fits_its_field() -> None:
    days = Row(field="StudyDate", operator="like", values=("x", "y"))
    assert fitted(days, Kind.DATE) == Row(field="StudyDate", operator="within", values=("",))
    assert fitted(Row(operator="=", values=("30 days",)), Kind.DATE).values == ("",)
    assert fitted(Row(operator="in", values=("CT", "", "MR")), Kind.TEXT).values == ("CT", "MR")
    assert fitted(Row(operator="exists", values=("CT",)), Kind.TEXT).values == ()


def test_commas_divide_what_is_typed_into_values_and_quotes_keep_them_together() -> None:
    typed = sent(c__join="all", c__0__field="StudyDescription", c__0__operator="in")
    typed.add("c.0.value", 'CT chest, "CT, abdomen",CT chest ,')
    typed.add("c.0.chosen", "MR, head")
    (row,) = CONDITIONS.read(typed).parts
    assert isinstance(row, Row)
    assert row.values == ("MR, head", "CT chest", "CT, abdomen")


def sent(**fields: str | list[str]) -> MultiDict[str, str]:
    pairs = [(key, one) for key, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    return MultiDict([(key.replace("__", "."), value) for key, value in pairs])


FILLED = sent(
    name="  to the dose PACS ",
    why="it keeps them",
    when="study stable",
    c__join="all",
    c__level="study",
    c__0__field="Modality",
    c__0__operator="in",
    c__0__value=["CT", "PT", ""],
    c__1__join="any",
    c__1__level="series",
    c__1__0__field="StudyDate",
    c__1__0__operator="within",
    c__1__0__value="7",
    c__1__0__unit="days",
    a__0__kind="deliver",
    a__0__to=["NMDOSE"],
    a__0__proof="find",
)


def test_what_was_sent_becomes_a_document() -> None:
    document = form_document(read_draft(FILLED, FORM), FORM).document
    assert document == {
        "name": "to the dose PACS",
        "why": "it keeps them",
        "when": "study stable",
        "if": {"all": ["Modality in [CT, PT]", {"series": {"any": ["StudyDate within 7 days"]}}]},
        "do": [{"deliver": {"to": "NMDOSE", "proof": "find"}}],
    }
    shown = draft_of_document(document, FORM)
    assert form_document(shown, FORM).document == document


def test_buttons_add_and_remove_rows_groups_values_and_actions() -> None:
    draft = read_draft(FILLED, FORM)
    for act in ("add-row c.1", "add-group c", "drop c.0 CT", "add-action deliver", "remove-action 0", "remove c.1.0"):
        draft = acted(draft, act, FORM)
    assert draft.condition.parts[0] == Row(field="Modality", operator="in", values=("PT",))
    assert draft.condition.parts[1] == Group(join=Join.ANY, level=Level.SERIES, parts=(Row(),))
    assert draft.condition.parts[2] == Group(join=Join.ANY, parts=(Row(),))
    assert draft.actions == (ActionRow(name="deliver"),)


@pytest.mark.parametrize(
    "act", ["", "add-row c.9.9", "remove c.7", "remove-action 5", "remove-action x", "drop", "add-action wipe", "what"]
)
def test_a_button_that_leads_nowhere_changes_nothing(act: str) -> None:
    draft = read_draft(FILLED, FORM)
    assert acted(draft, act, FORM) == draft


def test_switching_tabs_keeps_comments_until_the_form_says_something_else() -> None:
    text = "# ask physics first\nname: a rule\nwhen: by hand\nif: {all: [Modality = CT]}\ndo:\n- deliver: {to: X}\n"
    shown = acted(Draft(tab="text", text=text), "show-form", FORM)
    assert (shown.tab, shown.name) == ("form", "a rule")
    assert acted(shown, "show-text", FORM).text == text
    changed = acted(acted(shown, "add-action deliver", FORM), "show-text", FORM)
    assert changed.text != text
    assert "Modality = CT" in changed.text


@pytest.mark.parametrize("text", ["a: [", "- a\n- b", "name: x\ncolour: red", "name: x\nif: {most: []}", "&a [*a]"])
def test_a_text_that_the_form_cannot_show_stays_text(text: str) -> None:
    with pytest.raises(CannotBeShown):
        acted(Draft(tab="text", text=text), "show-form", FORM)


@pytest.mark.parametrize(
    "document", [{"deliver": {"to": ["A", "B"], "again": True}}, {"deliver": {"to": "A", "proof": "find"}}]
)
def test_an_action_survives_the_form(document: Any) -> None:
    assert write_action(read_action(document, [DELIVER]), [DELIVER]) == document


def test_an_action_that_says_more_than_the_form_can_stays_text() -> None:
    document = {"deliver": {"to": "A", "objects": {"series": ["Modality = CT"]}}}
    row = read_action(document, [DELIVER])
    assert row.raw
    assert write_action(row, [DELIVER]) == document


def test_a_document_as_text_reads_back() -> None:
    document = form_document(read_draft(FILLED, FORM), FORM).document
    assert acted(Draft(tab="text", text=document_text(document)), "show-form", FORM).name == "to the dose PACS"
