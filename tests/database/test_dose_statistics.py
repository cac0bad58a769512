"""Statistics equal numpy's on the same rows; what is doubted, of another phantom, band, day or device is in none."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from sqlalchemy.engine import Engine

from tests.dose_statistics import MadeExam, keep, name_of_exams, name_of_protocol, standard
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.distribution import NOTHING, Distribution
from treegarth.features.dose.analysis.store.choices import quantities_of
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.statistics import distribution, distributions
from treegarth.features.dose.analysis.wanted import Band, Wanted
from treegarth.features.dose.registry.decision.facts import BODY, HEAD

DLP = Wanted(quantity="dlp_mgy_cm", phantom="body")


def found(engine: Engine, wanted: Wanted = DLP) -> Distribution:
    with connect(engine) as connection:
        return distribution(connection, wanted)


def made(engine: Engine, *exams: MadeExam) -> None:
    with transaction(engine) as connection:
        keep(connection, exams)


def of_dlp(*values: float, **given: Any) -> list[MadeExam]:
    return [MadeExam(doses={"dlp_mgy_cm": value}, **given) for value in values]


@pytest.mark.parametrize("count", [1, 2, 5, 6, 25, 200])
def test_every_part_equals_that_of_numpy(engine: Engine, count: int) -> None:
    values = np.random.default_rng(count).lognormal(5.5, 0.6, count)
    made(engine, *of_dlp(*values.tolist()))
    one = found(engine)
    expected = np.percentile(values, [0, 5, 25, 50, 75, 95, 100], method="linear")
    parts = (one.minimum, one.p5, one.p25, one.median, one.p75, one.p95, one.maximum)
    assert one.n == count
    assert parts == pytest.approx(expected.tolist(), rel=1e-12)
    assert one.mean == pytest.approx(values.mean(), rel=1e-12)


def test_the_interval_of_the_median_is_between_the_second_and_the_ninth_of_ten(engine: Engine) -> None:
    made(engine, *of_dlp(310, 290, 470, 120, 555, 260, 330, 280, 900, 305))
    one = found(engine)
    assert (one.median_low, one.median_high) == (260, 555)
    assert (one.median, one.mean) == (307.5, 382)


def test_without_values_nothing_is_said(engine: Engine) -> None:
    assert found(engine) == NOTHING
    made(engine, *of_dlp(1, 2, 3, 4, 5))
    assert found(engine).median_low is None


def test_what_is_doubted_is_counted_and_left_out_unless_it_is_asked_for(engine: Engine) -> None:
    made(engine, *of_dlp(100, 200), *of_dlp(9000, doubted=("dlp_mgy_cm",)))
    assert (found(engine).n, found(engine).doubted_left_out, found(engine).maximum) == (2, 1, 200)
    every = found(engine, Wanted(quantity="dlp_mgy_cm", phantom="body", with_doubted=True))
    assert (every.n, every.doubted_left_out, every.maximum) == (3, 0, 9000)


def test_events_of_each_phantom_are_those_that_the_choices_count(engine: Engine) -> None:
    told = (BODY, BODY, HEAD, None, "Phantom of the maker")
    events = tuple({"dlp_mgy_cm": 10.0 * n, "ctdiw_phantom_type": one} for n, one in enumerate(told, start=1))
    made(engine, MadeExam(events=events))
    with connect(engine) as connection:
        protocol = Wanted(quantity="dose_rp_gy", level="event", modality="CT")
        counted = {one.phantom: one.count for one in quantities_of(connection, protocol)}
    assert counted == {"body": 2, "head": 1, "unknown": 2}
    for phantom, greatest in (("body", 20.0), ("head", 30.0), ("unknown", 50.0), ("both", None)):
        one = found(engine, Wanted(quantity="dlp_mgy_cm", level="event", phantom=phantom))  # type: ignore[arg-type]
        assert (one.n, one.maximum) == (counted.get(phantom, 0), greatest)  # type: ignore[call-overload]


def test_a_head_and_a_body_phantom_are_never_in_one_distribution(engine: Engine) -> None:
    made(engine, *of_dlp(100), *of_dlp(900, phantom="head"), *of_dlp(40, phantom="unknown"))
    assert [found(engine, Wanted(quantity="dlp_mgy_cm", phantom=one)).maximum for one in ("body", "head")] == [100, 900]
    with pytest.raises(ValueError, match="phantom"):
        Wanted(quantity="dlp_mgy_cm")
    with pytest.raises(ValueError, match="phantom"):
        Wanted(quantity="mean_ctdi_vol_mgy", level="event")
    with pytest.raises(ValueError, match="phantom"):
        Wanted(quantity="dose_rp_gy", phantom="head")


def test_a_standard_name_has_what_all_its_names_have(engine: Engine) -> None:
    with transaction(engine) as connection:
        chest = standard(connection, "Chest CT")
        for name in ("Chest", "Thorax"):
            name_of_exams(connection, name, standard_name_id=chest)
        raw = name_of_exams(connection, "Abdomen")
    made(engine, *of_dlp(1), *of_dlp(2, name="Thorax"), *of_dlp(3, name="Abdomen"))
    assert found(engine, Wanted(quantity="dlp_mgy_cm", phantom="body", standard_name_id=chest)).maximum == 2
    assert found(engine, Wanted(quantity="dlp_mgy_cm", phantom="body", exam_name_id=raw)).minimum == 3


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ({"age_years": Band(least=18, below=60)}, [2]),
        ({"age_years": Band(below=18)}, [1]),
        ({"age_years": Band(least=60)}, [3]),
        ({"weight_kg": Band(least=70, below=80)}, [2, 3]),
        ({"study_date_from": date(2026, 2, 1), "study_date_to": date(2026, 2, 28)}, [2]),
        ({"modality": "MG"}, []),
    ],
)
def test_bands_are_half_open_and_days_are_included(engine: Engine, asked: dict[str, Any], values: list[int]) -> None:
    made(
        engine,
        *of_dlp(1, age=17.9, weight=30, study_date=date(2026, 1, 31)),
        *of_dlp(2, age=18.0, weight=70, study_date=date(2026, 2, 28)),
        *of_dlp(3, age=60.0, weight=79.9, study_date=date(2026, 3, 1)),
        *of_dlp(4, age=None, weight=None, study_date=None),
    )
    one = found(engine, Wanted(quantity="dlp_mgy_cm", phantom="body", **asked))
    assert (one.n, one.minimum, one.maximum) == (len(values), *((values[0], values[-1]) if values else (None, None)))


def test_events_of_a_protocol_are_by_their_own_phantom_and_doubts(engine: Engine) -> None:
    events = ({"mean_ctdi_vol_mgy": 8.0}, {"mean_ctdi_vol_mgy": 60.0, "ctdiw_phantom_type": HEAD}, {"dlp_mgy_cm": 5.0})
    made(engine, MadeExam(events=events), MadeExam(events=events[:1], doubted=("mean_ctdi_vol_mgy",)))
    with transaction(engine) as connection:
        protocol = name_of_protocol(connection, "Thorax routine")
    asked = {"quantity": "mean_ctdi_vol_mgy", "level": "event", "protocol_name_id": protocol}
    body, head = (found(engine, Wanted(**asked, phantom=one)) for one in ("body", "head"))  # type: ignore[arg-type]
    assert (body.n, body.doubted_left_out, body.maximum) == (1, 1, 8)
    assert (head.n, head.maximum) == (1, 60)


def test_numbers_that_no_sum_can_hold_have_their_percentiles_and_no_mean(engine: Engine) -> None:
    made(engine, *of_dlp(1.7e308, 1.7e308, 1.0))
    one = found(engine)
    assert (one.mean, one.maximum, one.median) == (None, 1.7e308, 1.7e308)
    assert one.n == 3


def test_groups_have_each_their_own_distribution_and_interval(engine: Engine) -> None:
    first, second = np.random.default_rng(1).lognormal(size=(2, 30)).tolist()
    made(engine, *of_dlp(*first), *of_dlp(*second[:7], station="CT2"))
    with connect(engine) as connection:
        rows = select_rows(DLP)
        groups = distributions(connection, DLP, rows, rows.c.device_key)
    by_count = {one.n: one for one in groups.values()}
    assert by_count[30].median == pytest.approx(np.median(first), rel=1e-12)
    assert (by_count[30].median_low, by_count[30].median_high) == (sorted(first)[9], sorted(first)[20])
    assert (by_count[7].median_low, by_count[7].median_high) == (min(second[:7]), max(second[:7]))


def test_one_question_has_one_name_and_fits_its_level() -> None:
    for wrong in (
        {"standard_name_id": 1, "exam_name_id": 2},
        {"protocol_name_id": 1},
        {"level": "event", "exam_name_id": 1},
        {"level": "event", "quantity": "total_fluoro_time_s"},
    ):
        with pytest.raises(ValueError):
            Wanted(**{"quantity": "dose_rp_gy", **wrong})  # type: ignore[arg-type]
