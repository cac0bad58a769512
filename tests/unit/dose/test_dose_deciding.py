"""However an exam is written, its best known dose is the true one, or a doubt says that it may not be."""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.dose_exams.facts import facts_of
from tests.dose_exams.truth import Drawing, TrueExam
from tests.dose_exams.writing import Writer, Written
from treegarth.features.dose.registry.decision import ExamDecision, decide_exam

EXAMS = 5000 if os.environ.get("TREEGARTH_SOAK") else 300
BLOCK = 50


def written(seed: int, *, is_clean: bool) -> tuple[TrueExam, list[Written], Random]:
    chance = Random(seed)
    drawing = Drawing(chance)
    exam = drawing.exam()
    return exam, Writer(exam, drawing, is_clean=is_clean).write(), chance


def decided(objects: list[Written], chance: Random) -> ExamDecision:
    """In any order, with repetitions; the same whatever these are."""
    facts = [facts_of(one) for one in objects]
    decision = decide_exam(facts)
    shuffled = [*facts, *chance.choices(facts, k=2)]
    chance.shuffle(shuffled)
    assert decide_exam(shuffled) == decision
    return decision


def wrong(exam: TrueExam, objects: list[Written], decision: ExamDecision) -> list[str]:
    """The quantities whose best known dose is not the true one, without a doubt that says so."""
    doubted = {doubt.quantity for doubt in decision.doubts}
    return [
        f"{quantity}: {decision.best.get(quantity)} for {true}"
        for quantity, true in exam.best().items()
        if quantity not in doubted
        and (quantity in decision.best or is_told(quantity, objects))
        and decision.best.get(quantity) != pytest.approx(true, rel=0.005)
    ]


def is_told(quantity: str, written_objects: list[Written]) -> bool:
    """Whether any object says anything of the quantity, but for reports that a later one replaces."""
    replaced = {uid for one in written_objects for uid in one.report.get("predecessor_sop_instance_uids", ())}
    objects = [one for one in written_objects if one.sop_instance_uid not in replaced]
    names = {
        "dlp_mgy_cm": ("dlp_mgy_cm", "dlp_total_mgy_cm"),
        "dose_area_product_gy_m2": ("dose_area_product_gy_m2", "dose_area_product_total_gy_m2"),
        "dose_rp_gy": ("dose_rp_gy", "dose_rp_total_gy"),
        "administered_activity_mbq": ("administered_activity_mbq",),
        "total_fluoro_time_s": ("irradiation_duration_s", "total_fluoro_time_s"),
        "ctdi_vol_max_mgy": ("mean_ctdi_vol_mgy",),
    }
    for side, letter in (("left", "L"), ("right", "R")):
        if quantity == f"glandular_dose_{side}_mgy":
            total = f"accumulated_average_glandular_dose_{side}_mgy"
            return any(
                one.totals.get(total)
                or any(e.get("laterality") == letter and e.get("average_glandular_dose_mgy") for e in one.events)
                for one in objects
            )
    for part, phantom in (("head", "Head"), ("body", "Body")):
        if quantity == f"dlp_{part}_mgy_cm":
            return any(
                phantom in e.get("ctdiw_phantom_type", "") and e.get("dlp_mgy_cm")
                for one in objects
                for e in one.events
            )
    return any(values.get(name) for one in objects for values in (one.totals, *one.events) for name in names[quantity])


@pytest.mark.parametrize("block", range(EXAMS // BLOCK // 2))
def test_an_exam_that_is_told_clearly_has_its_true_dose_and_no_doubt(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        exam, objects, chance = written(seed, is_clean=True)
        decision = decided(objects, chance)
        doubts = [doubt for doubt in decision.doubts if doubt.name != "phantoms_mixed"]
        assert not doubts, (seed, doubts)
        assert wrong(exam, objects, decision) == [], seed
        is_mixed = any(doubt.name == "phantoms_mixed" for doubt in decision.doubts)
        assert not is_mixed or len(exam.phantoms) > 1, seed


@pytest.mark.parametrize("block", range(EXAMS // BLOCK // 2))
def test_an_exam_that_is_told_badly_has_its_true_dose_or_a_doubt(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        exam, objects, chance = written(seed, is_clean=False)
        assert wrong(exam, objects, decided(objects, chance)) == [], seed
