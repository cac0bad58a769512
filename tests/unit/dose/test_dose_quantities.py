"""Everything that names the best known doses is held to the one table of quantities."""

from __future__ import annotations

from treegarth.features.dose.quantities import BEST, asked_for
from treegarth.features.dose.registry.condition_terms import condition_terms
from treegarth.features.dose.registry.conditions import DoseConditions
from treegarth.features.dose.registry.pages.dose_columns import MORE_RANGES, RANGES
from treegarth.features.dose.registry.store.filters import Limits
from treegarth.features.dose.registry.store.studies import BestDose, DoseStudy
from treegarth.features.dose.registry.tables import dose_study
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
    parameters = {name for one in asked_for() for name in one.parameters}
    assert {
        name for name in DoseConditions.model_fields if name.endswith(("mgy_cm", "mgy", "gy_cm2", "mbq"))
    } == parameters
    assert {name for one in (*RANGES, *MORE_RANGES) for name in (one.first, one.last)} == {
        *parameters, "events_from", "events_to",
    }  # fmt: skip


def test_limits_are_asked_for_in_the_unit_shown() -> None:
    wanted = DoseConditions(dap_from_gy_cm2=2.0, agd_to_mgy=3.0).filter()
    assert {one.name: limits for one, limits in wanted.doses.items()} == {
        "dap": Limits(low=2.0),
        "agd": Limits(high=3.0),
    }
