"""Everything that names the best known doses is held to the one table of quantities."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from treegarth.features.dose.quantities import BEST, OF_EVENT, asked_for
from treegarth.features.dose.registry.condition_terms import condition_terms
from treegarth.features.dose.registry.conditions import DoseConditions, Period, Quantity, days_of
from treegarth.features.dose.registry.pages.dose_columns import EVENT_RANGES, MORE_RANGES, RANGES
from treegarth.features.dose.registry.pages.doses import DOSES
from treegarth.features.dose.registry.store.events import DoseEvent
from treegarth.features.dose.registry.store.filters import Limits
from treegarth.features.dose.registry.store.studies import BestDose, DoseStudy
from treegarth.features.dose.registry.tables import dose_study, irradiation_event
from treegarth.index.tables import study
from treegarth.web.export import fields_of

COLUMNS_OF_BEST = {one.column for one in BEST.values()}


def test_every_quantity_is_in_the_answers_the_rows_the_exports_and_the_conditions_and_nothing_else_is() -> None:
    assert BestDose.model_fields.keys() == BEST.keys()
    terms = {term.field.name.removeprefix("dose."): term.field for term in condition_terms(study.c.orthanc_study_id)}
    for names in (
        DoseStudy.model_fields.keys(),
        dose_study.c.keys(),
        fields_of(DoseStudy).keys(),
        terms.keys(),
    ):
        assert {name for name in names if name.startswith("best_")} == COLUMNS_OF_BEST
    assert {name: terms[name].unit for name in COLUMNS_OF_BEST} == {
        one.column: one.stored_unit for one in BEST.values()
    }


def test_what_can_be_asked_for_has_its_two_parameters_and_its_place_in_the_form() -> None:
    of_exams = {name for one in asked_for() for name in one.parameters}
    of_events = {name for one in OF_EVENT for name in one.asked.parameters}
    assert {
        name for name in DoseConditions.model_fields if name.endswith(("mgy_cm", "mgy", "gy_cm2", "mbq", "_s"))
    } == of_exams | of_events
    assert {name for one in (*RANGES, *MORE_RANGES) for name in (one.first, one.last)} == {
        *of_exams, "events_from", "events_to", "age_from_years", "age_to_years",
    }  # fmt: skip
    assert {name for one in EVENT_RANGES for name in (one.first, one.last)} == of_events


def test_every_best_known_dose_can_be_asked_for_sorted_by_and_doubted() -> None:
    assert {one.column for quantities in asked_for().values() for one in quantities} == COLUMNS_OF_BEST
    assert {f"-{name}" for name in COLUMNS_OF_BEST} <= {*DOSES.sorts}
    assert {*get_args(Quantity)} == BEST.keys()


def test_the_columns_of_an_event_that_are_asked_for_are_those_of_the_table() -> None:
    assert {one.column for one in OF_EVENT} <= {*irradiation_event.c.keys()} & {*DoseEvent.model_fields}


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", "2026-03-01", "2026-03-01"),
        ("last_7_days", "2026-02-23", "2026-03-01"),
        ("last_30_days", "2026-01-31", "2026-03-01"),
        ("this_month", "2026-03-01", "2026-03-01"),
        ("last_month", "2026-02-01", "2026-02-28"),
        ("this_year", "2026-01-01", "2026-03-01"),
        ("last_year", "2025-01-01", "2025-12-31"),
    ],
)
def test_days_are_those_of_the_day_on_which_they_are_asked_for(period: Period, first: str, last: str) -> None:
    assert days_of(period, date(2026, 3, 1)) == (date.fromisoformat(first), date.fromisoformat(last))
    asked = DoseConditions(period=period, study_date_from=date(2025, 6, 1)).filter(date(2026, 3, 1))
    assert asked.study_date_from == max(date.fromisoformat(first), date(2025, 6, 1))


def test_limits_are_asked_for_in_the_unit_shown() -> None:
    wanted = DoseConditions(dap_from_gy_cm2=2.0, agd_to_mgy=3.0).filter(date(2026, 3, 1))
    assert {one.name: limits for one, limits in wanted.doses.items()} == {
        "dap": Limits(low=2.0),
        "agd": Limits(high=3.0),
    }
