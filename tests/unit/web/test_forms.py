"""A form follows from a model: inputs from its types, a document from what is typed, what is wrong at its input."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import pytest
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from treegarth.features.deliveries.addresses import ADDRESSES
from treegarth.features.deliveries.destinations import DestinationSettings
from treegarth.web.forms import Shown, acted, begun, document_of, form_of, numbered, sent_values, typed_of


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Hours(BaseModel):
    days: Annotated[tuple[str, ...], Shown("Days", choices={"mon": "Mon", "tue": "Tue"})] = ("mon",)
    begin: Annotated[str, Shown("from", type="time")]


class Place(BaseModel):
    environment: str | None = None
    file: str | None = None


class Machine(BaseModel):
    name: Annotated[str, Shown("Name")]
    port: Annotated[int, Shown("Port", begins="104")]
    speed: Annotated[Speed, Shown("Speed", choices={"slow": "slow", "fast": "fast"})] = Speed.SLOW
    tls: Annotated[bool, Shown("TLS")] = False
    wait: Annotated[timedelta | None, Shown("Wait")] = None
    room: Annotated[str | None, Shown("Room", units={"GB": "GB", "TB": "TB"})] = None
    secret: Annotated[Place | None, Shown("Secret", choices={"environment": "variable", "file": "file"})] = None
    hours: Annotated[tuple[Hours, ...] | None, Shown("Hours")] = None
    kept_out_of_forms: str = ""


DOCUMENT = {
    "name": "CT 1",
    "port": 11112,
    "speed": "fast",
    "tls": True,
    "wait": "30 days",
    "room": "2 TB",
    "secret": {"file": "/run/secret"},
    "hours": [{"days": ["mon", "tue"], "begin": "22:00"}, {"days": [], "begin": "06:00"}],
}


def test_the_type_of_a_field_chooses_its_input() -> None:
    inputs = form_of({}, Machine, {}).inputs
    assert {name: one.kind for name, one in inputs.items()} == {
        "name": "text",
        "port": "number",
        "speed": "choice",
        "tls": "truth",
        "wait": "measure",
        "room": "measure",
        "secret": "place",
        "hours": "rows",
    }


def test_a_document_comes_back_as_it_was() -> None:
    assert document_of(typed_of(DOCUMENT, Machine), Machine) == DOCUMENT


def test_a_new_form_begins_with_the_defaults() -> None:
    assert begun(Machine) == {"port": ("104",), "speed": ("slow",), "tls": ("false",)}


def test_one_day_is_shown_with_the_unit_that_the_form_offers() -> None:
    assert typed_of({"wait": "1 day"}, Machine) == {"wait": ("1",), "wait.unit": ("days",)}


def test_what_is_no_number_is_kept_as_it_was_typed_and_said_at_its_input_and_above() -> None:
    typed = sent_values(MultiDict([("port", " far "), ("name", "CT")]))
    assert document_of(typed, Machine)["port"] == "far"
    form = form_of(typed, Machine, {"port": ["must be a whole number."]})
    assert (form.inputs["port"].first, form.inputs["port"].problems) == ("far", ["must be a whole number."])
    assert [(one.said, one.label, one.input_id) for one in form.faults] == [("must be a whole number.", "Port", "port")]


def test_what_is_wrong_is_listed_in_the_order_of_the_form_and_what_has_no_input_first() -> None:
    problems = {"hours.0.begin": ["late"], "secret.file": ["not allowed"], "nothing": ["odd"], "name": ["is missing."]}
    form = form_of(typed_of(DOCUMENT, Machine), Machine, problems)
    assert [(one.said, one.input_id) for one in form.faults] == [
        ("nothing: odd", ""),
        ("is missing.", "name"),
        ("not allowed", "secret"),
        ("late", "hours.0.begin"),
    ]
    assert form.inputs["hours"].rows[0][1].problems == ["late"]


def test_rows_are_added_removed_and_counted_from_0() -> None:
    typed = typed_of(DOCUMENT, Machine)
    more = acted(typed, "add-row hours", Machine)
    assert [row[0].values for row in form_of(more, Machine, {}).inputs["hours"].rows] == [("mon", "tue"), (), ("mon",)]
    less = numbered(acted(typed, "remove-row hours.0", Machine), "hours")
    assert document_of(less, Machine)["hours"] == [{"days": [], "begin": "06:00"}]
    none = numbered(acted(less, "remove-row hours.0", Machine), "hours")
    assert "hours" not in document_of(none, Machine)


@pytest.mark.parametrize("kind", ADDRESSES)
def test_every_field_of_a_destination_has_an_input_but_those_that_are_drawn_otherwise(kind: str) -> None:
    form = form_of({}, DestinationSettings, {}, parts={"address": ADDRESSES[kind]})  # type: ignore[index]
    asked = {name.removeprefix("address.") for name in form.inputs if name.startswith("address.")}
    assert ADDRESSES[kind].model_fields.keys() - asked <= {"headers"}  # type: ignore[index]
    assert DestinationSettings.model_fields.keys() - form.inputs.keys() == {"kind", "address"}


@pytest.mark.parametrize("act", ["add-row name", "add-row", "remove-row hours", "remove-row ²", "add-row nothing.1"])
def test_a_button_that_no_form_has_changes_nothing(act: str) -> None:
    typed = typed_of(DOCUMENT, Machine)
    assert acted(typed, act, Machine) == typed
