"""Between which two of the sorted values the median lies with 95 % confidence: by order statistics. Pure."""

from __future__ import annotations

from math import exp, floor, lgamma, log, sqrt

CONFIDENCE = 0.95
LEAST_COUNT = 6
"""Of five values, the least and the greatest hold the median with 1 - 2/2⁵ = 93.75 % only."""

HALF_WIDTH = 0.98
"""Of the interval, in roots of the count: 1.96 standard deviations of a binomial with p = 1/2, which is half a root."""
NEAR = 2
"""By how many ranks the normal approximation is off at the most: only there the binomial itself is asked."""

_NOTHING = 1e-18
"""Terms of a sum of probabilities that change none of its digits."""


def interval_ranks(count: int) -> tuple[int, int] | None:
    """The ranks, from 1, of the two order statistics of `count` values; None where there are too few of them.

    The values below the median are binomial with p = 1/2, whatever the distribution: the interval from the k-th value
    to the (n + 1 - k)-th holds the median with a probability of 1 - 2·P(B ≤ k - 1). The greatest k with at least 95 %
    is taken; the binomial distribution itself is summed, not its normal approximation, whatever the count. Source:
    W. J. Conover, Practical Nonparametric Statistics, 3rd edition, Wiley 1999, section 3.2, with r = k and
    s = n + 1 - k.
    """
    if count < LEAST_COUNT:
        return None
    about = floor((count + 1) / 2 - HALF_WIDTH * sqrt(count))  # k = 1 fits from LEAST_COUNT values on
    low, high = max(1, about - NEAR), min((count + 1) // 2, about + NEAR)
    while low < high:
        middle = (low + high + 1) // 2
        if 2 * _at_most(middle - 1, count) <= 1 - CONFIDENCE:
            low = middle
        else:
            high = middle - 1
    return low, count + 1 - low


def _at_most(successes: int, count: int) -> float:
    """P(B ≤ successes) of `count` throws of a fair coin, for less than half of them: the terms shrink from the last one
    on, each the one after it times k / (n - k + 1)."""
    term = exp(lgamma(count + 1) - lgamma(successes + 1) - lgamma(count - successes + 1) - count * log(2))
    total = 0.0
    for k in range(successes, -1, -1):
        total += term
        if term < total * _NOTHING:
            break
        term *= k / (count - k + 1)
    return total
