"""The interval of the median by order statistics: ranks by hand, by whole sums of binomials, and by drawing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from treegarth.features.dose.analysis.median_interval import LEAST_COUNT, interval_ranks


@pytest.mark.parametrize("count", range(6))
def test_of_less_than_six_values_no_two_hold_the_median_with_95_percent(count: int) -> None:
    assert interval_ranks(count) is None


@pytest.mark.parametrize(
    ("count", "ranks"),
    [
        (6, (1, 6)),  # 1 - 2/64 = 96.9 %
        (8, (1, 8)),  # 1 - 2·(1 + 8)/256 = 93.0 % for the second and the seventh
        (9, (2, 8)),  # 1 - 2·(1 + 9)/512 = 96.1 %
        (10, (2, 9)),  # 1 - 2·(1 + 10)/1024 = 97.9 %
        (20, (6, 15)),  # 1 - 2·(1 + 20 + 190 + 1140 + 4845 + 15504)/2^20 = 95.9 %
        (25, (8, 18)),
    ],
)
def test_ranks_are_those_of_tables(count: int, ranks: tuple[int, int]) -> None:
    assert interval_ranks(count) == ranks


@pytest.mark.parametrize("counts", [range(LEAST_COUNT, 1_500), (2_047, 10_007, 40_001)])
def test_ranks_are_the_narrowest_that_hold_95_percent_by_whole_numbers(counts: Iterable[int]) -> None:
    for count in counts:
        low, high = interval_ranks(count) or (0, 0)
        assert low + high == count + 1
        below, ways = 0, 1  # of `count` throws fewer than `low` heads, and exactly as many as were looked at
        for k in range(low):
            below, ways = below + ways, ways * (count - k) // (k + 1)
        assert 2 * below * 20 <= 2**count < 2 * (below + ways) * 20, count


def test_a_million_values_have_ranks_near_those_of_the_normal_distribution() -> None:
    ranks = interval_ranks(1_000_000)
    assert ranks is not None
    assert abs(ranks[0] - (500_000 - 1.959964 * 500)) < 2


def test_the_median_is_within_its_interval_about_19_times_of_20() -> None:
    drawn = np.sort(np.random.default_rng(7).lognormal(size=(4000, 31)), axis=1)
    low, high = interval_ranks(31) or (0, 0)
    held = np.mean((drawn[:, low - 1] <= 1) & (drawn[:, high - 1] >= 1))
    assert 0.95 <= held <= 0.985
