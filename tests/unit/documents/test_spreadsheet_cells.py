"""No cell of a table of documents begins as a formula does, and each is read as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treegarth.documents.spreadsheet_cells import guarded, unguarded
from treegarth.features.dose.analysis.names.csv_text import read_names, write_names

TEXTS = st.text("=+-@'ab *\t가", min_size=1, max_size=6)


@given(text=TEXTS)
def test_a_guarded_text_begins_no_formula_and_is_read_as_it_was(text: str) -> None:
    assert guarded(text)[0] not in "=+-@\t"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["'quoted'", "plain", "a=b", ""])
def test_what_begins_no_formula_stays_as_it_is(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


@given(name=TEXTS.map(str.strip).filter(bool), description=TEXTS.map(str.strip).filter(bool))
def test_a_standard_name_comes_back_from_its_table(name: str, description: str) -> None:
    document = {"name": name, "modality": "CT", "rules": [{"study_description": description}]}
    text = write_names([(document, True)])
    assert [one.document for one in read_names(text).wordings] == [document]
    assert not any(cell[:1] in tuple("=+-@") for line in text.split("\r\n")[1:] for cell in line.split(","))
