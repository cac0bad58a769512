"""Real reports of many vendors are read as the reference reads them, or are refused with a reason."""

import io
import json

import pytest

from tests import conformance
from treegarth.features.dose.reading import read_dose_stream
from treegarth.features.dose.reading.command import read_command
from treegarth.features.dose.reading.model import json_object, to_json

READ = [r for r in conformance.references() if r.get("kind")]
NOT_READ = [r for r in conformance.references() if r not in READ]


def _read(reference):
    with conformance.path_of(reference).open("rb") as stream:
        return read_dose_stream(stream)


@pytest.mark.parametrize("reference", READ, ids=lambda r: r["file"])
def test_a_real_report_equals_the_reference(reference):
    reading = _read(reference)
    printed = json_object(reference["file"], reading)
    assert reading.refused is None
    assert printed["kind"] == reference["kind"]
    assert printed["sop_class_uid"] == reference["sop_class_uid"]
    for part in ("totals", "irradiation_events", "administrations"):
        assert conformance.differences(reference.get(part), printed[part], part) == []
    if "irradiation_event_count" in reference and reference["kind"] != "radiopharmaceutical":
        assert len(printed["irradiation_events"]) == reference["irradiation_event_count"]
    assert printed["issues"] == []


@pytest.mark.parametrize("reference", NOT_READ, ids=lambda r: r["file"])
def test_what_is_no_dose_report_is_refused_with_a_reason(reference):
    reading = _read(reference)
    assert reading.kind is None
    assert reading.refused
    assert not reading.totals
    assert not reading.irradiation_events


@pytest.mark.skipif(not READ, reason="no conformance objects beside the project")
def test_the_command_prints_a_line_for_each_file_in_the_order_given(tmp_path):
    paths = [str(conformance.path_of(reference)) for reference in reversed(conformance.references())]
    output = io.StringIO()
    assert read_command(paths, True, output) == 0
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [line["file"] for line in lines] == paths
    assert all(line["kind"] or line["refused"] for line in lines)


@pytest.mark.parametrize("reference", READ, ids=lambda r: r["file"])
def test_a_reading_is_one_line_of_json(reference):
    line = to_json(reference["file"], _read(reference))
    assert "\n" not in line
    assert list(json.loads(line)) == [
        "file", "sop_class_uid", "kind", "refused", "totals", "irradiation_events", "administrations", "issues",
    ]  # fmt: skip
