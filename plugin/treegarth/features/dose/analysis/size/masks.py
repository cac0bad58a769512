"""Regions of an image: which pixels hang together, what is thin, what is enclosed. Pure; arrays of booleans, row by
column.

Written with numpy alone: SciPy's labelling would cost an installation of 100 MB for what takes milliseconds here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.bool_]
Labels: TypeAlias = npt.NDArray[np.int32]


def label(mask: Mask) -> Labels:
    """Pixels of one region have one number from 1 on, others 0. What touches by an edge hangs together."""
    rows, begins, ends = _runs(mask)
    numbers = _joined(rows, begins, ends)
    steps = np.zeros((mask.shape[0], mask.shape[1] + 1), dtype=np.int32)
    steps[rows, begins] += numbers
    steps[rows, ends] -= numbers
    return np.cumsum(steps, axis=1, dtype=np.int32)[:, :-1]


def largest_region(mask: Mask) -> Mask:
    """The region with the most pixels; nothing where there is none."""
    labels = label(mask)
    counts = np.bincount(labels.ravel())
    if len(counts) < 2:
        return np.zeros_like(mask)
    counts[0] = 0
    found: Mask = labels == counts.argmax()
    return found


def without_holes(region: Mask) -> Mask:
    """With all that it encloses: what cannot be reached from the border of the image."""
    return ~reaching_border(~region)


def reaching_border(mask: Mask) -> Mask:
    """The regions that reach the border of the image."""
    if not mask.any():
        return mask
    labels = label(mask)
    wanted = np.zeros(labels.max() + 1, dtype=np.bool_)
    wanted[np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))] = True
    wanted[0] = False
    found: Mask = wanted[labels]
    return found


def eroded(mask: Mask, rows: int, columns: int, *, beyond: bool = False) -> Mask:
    """The pixels whose neighbours up to so many rows and columns away are all in the mask; `beyond` is what lies
    outside of the image."""
    return _over(_over(mask, rows, 0, np.logical_and, beyond), columns, 1, np.logical_and, beyond)


def dilated(mask: Mask, rows: int, columns: int) -> Mask:
    """The pixels with a neighbour up to so many rows and columns away that is in the mask."""
    return _over(_over(mask, rows, 0, np.logical_or, False), columns, 1, np.logical_or, False)


def _over(mask: Mask, reach: int, axis: int, combine: Callable[..., Mask], beyond: bool) -> Mask:
    widths = [(0, 0), (0, 0)]
    widths[axis] = (reach, reach)
    padded = np.pad(mask, widths, constant_values=beyond)
    found = mask.copy()
    length = mask.shape[axis]
    for shift in range(2 * reach + 1):
        part = padded[shift : shift + length] if axis == 0 else padded[:, shift : shift + length]
        combine(found, part, out=found)
    return found


def _runs(mask: Mask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The unbroken pieces of each row: its row, its first column, the column behind its last; row by row."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, begins = np.nonzero(edges == 1)
    return rows, begins, np.nonzero(edges == -1)[1]


def _joined(
    rows: npt.NDArray[np.intp], begins: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> npt.NDArray[np.int32]:
    """The number of the region of each run, from 1 on: runs of neighbouring rows that overlap are of one."""
    parents = list(range(len(rows)))

    def root(one: int) -> int:
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one

    of_row, first, last = rows.tolist(), begins.tolist(), ends.tolist()
    above = 0
    for run in range(len(of_row)):
        while of_row[above] < of_row[run] - 1 or (of_row[above] == of_row[run] - 1 and last[above] <= first[run]):
            above += 1
        other = above
        while of_row[other] == of_row[run] - 1 and first[other] < last[run]:
            parents[root(other)] = root(run)
            other += 1
    roots = np.array([root(one) for one in range(len(parents))], dtype=np.intp)
    return (np.unique(roots, return_inverse=True)[1] + 1).astype(np.int32)
