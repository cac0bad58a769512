"""Models that no module has written: what their fields say is kept, and nobody looks for their source."""

from __future__ import annotations

import pytest
from pydantic._internal import _docs_extraction
from pydantic.fields import FieldInfo

from treegarth.web.routes import Parameters, make_model


class Asked(Parameters):
    """What is asked."""

    name: str = ""
    """What it is called."""


def test_a_made_model_says_what_its_base_and_its_own_fields_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_docs_extraction.inspect, "getmodule", None)  # calling it would fail
    made = make_model("Made", Asked, doc="Made here.", sort=(str, FieldInfo(default="", description="The order.")))
    said = made.model_json_schema()
    assert said["description"] == "Made here."
    assert {name: one["description"] for name, one in said["properties"].items()} == {
        "name": "What it is called.",
        "sort": "The order.",
    }
    assert made.model_config["extra"] == "forbid"
