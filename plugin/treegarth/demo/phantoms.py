"""Pictures of bodies that never were: ellipses painted over each other, with noise. Pure numpy.

Coordinates run from -1 to 1 over the picture, x to the right and y downwards; values of CT pictures are in HU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Region = Literal["head", "chest", "abdomen"]

AIR_HU = -1000.0


@dataclass(frozen=True)
class Ellipse:
    """One ellipse of one value; `angle_deg` turns it clockwise as seen."""

    x: float
    y: float
    half_width: float
    half_height: float
    value: float
    angle_deg: float = 0.0


def paint(picture: Picture, ellipses: Sequence[Ellipse]) -> Picture:
    """Paints the ellipses in their order over the picture (in place) and returns it."""
    for ellipse in ellipses:
        for row, left, right in _spans(ellipse, picture.shape):
            picture[row, left:right] = ellipse.value
    return picture


def _spans(ellipse: Ellipse, shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """The rows that the ellipse crosses, each with its first column and the one after its last.

    A row at the height y meets the ellipse where a quadratic equation in x has roots.
    """
    rows, columns = shape
    reach = max(ellipse.half_width, ellipse.half_height)
    top = max(0, math.ceil((ellipse.y - reach + 1) * (rows - 1) / 2))
    bottom = min(rows - 1, math.floor((ellipse.y + reach + 1) * (rows - 1) / 2))
    y = np.arange(top, bottom + 1) * (2 / (rows - 1)) - 1 - ellipse.y
    cosine, sine = math.cos(math.radians(ellipse.angle_deg)), math.sin(math.radians(ellipse.angle_deg))
    along, across = ellipse.half_width**-2, ellipse.half_height**-2
    a = cosine**2 * along + sine**2 * across
    b = 2 * cosine * sine * (along - across) * y
    c = (sine**2 * along + cosine**2 * across) * y**2 - 1
    discriminant = b**2 - 4 * a * c
    crossed = discriminant >= 0
    root = np.sqrt(discriminant[crossed])
    left = (-b[crossed] - root) / (2 * a) + ellipse.x
    right = (-b[crossed] + root) / (2 * a) + ellipse.x
    first = np.clip(np.ceil((left + 1) * (columns - 1) / 2), 0, columns).astype(int)
    after = np.clip(np.floor((right + 1) * (columns - 1) / 2) + 1, 0, columns).astype(int)
    return zip((np.nonzero(crossed)[0] + top).tolist(), first.tolist(), after.tolist(), strict=True)


def softened(picture: Picture, times: int = 1) -> Picture:
    """The picture with its edges blurred as a detector blurs them: a binomial kernel, `times` over."""
    for _ in range(times):
        for axis in (0, 1):
            neighbours: Picture = np.roll(picture, 1, axis) + np.roll(picture, -1, axis)
            picture = (neighbours + 2 * picture) / np.float32(4)
    return picture


def smooth_noise(shape: tuple[int, int], chance: np.random.Generator, grain: int = 1) -> Picture:
    """Noise of mean 0 and standard deviation 1 whose neighbours resemble each other."""
    noise = softened(chance.standard_normal(shape, dtype=np.float32), grain)
    even: Picture = (noise / noise.std()).astype(np.float32)
    return even


def ct_slice(region: Region, level: float, shape: tuple[int, int], noise: Picture, *, contrast: bool) -> Picture:
    """An axial slice in HU. `level` runs from 0 (top of the region) to 1; `contrast` fills vessels and organs."""
    picture = np.full(shape, AIR_HU, dtype=np.float32)
    blood = 190.0 if contrast else 42.0
    painters = {"head": _head, "chest": _chest, "abdomen": _abdomen}
    paint(picture, _table() if region != "head" else _head_rest())
    paint(picture, painters[region](level, blood))
    grain = np.float32(4.5 if region == "head" else 14)
    noisy: Picture = softened(picture) + noise * np.where(picture > -950, grain, grain / 2)
    return noisy


def _table() -> list[Ellipse]:
    return [Ellipse(0, 0.60, 0.80, 0.20, -180), Ellipse(0, 0.58, 0.78, 0.19, AIR_HU)]


def _head_rest() -> list[Ellipse]:
    return [Ellipse(0, 0.45, 0.60, 0.45, -300), Ellipse(0, 0.40, 0.58, 0.46, AIR_HU)]


def _trunk(half_width: float, half_height: float) -> list[Ellipse]:
    return [
        Ellipse(0, 0, half_width, half_height, 30),
        Ellipse(0, 0, half_width - 0.012, half_height - 0.012, -95),
        Ellipse(0, 0, half_width - 0.07, half_height - 0.06, 50),
    ]


def _spine(y: float) -> list[Ellipse]:
    return [
        Ellipse(0, y + 0.15, 0.035, 0.09, 420),
        Ellipse(-0.10, y + 0.10, 0.10, 0.03, 380, 25),
        Ellipse(0.10, y + 0.10, 0.10, 0.03, 380, -25),
        Ellipse(0, y, 0.095, 0.080, 480),
        Ellipse(0, y, 0.080, 0.066, 210),
        Ellipse(0, y + 0.098, 0.038, 0.032, 20),
    ]


def _ribs(half_width: float, half_height: float, level: float) -> list[Ellipse]:
    ribs = []
    for place in range(14):
        angle = 2 * np.pi * (place + 0.5) / 14 + level * 1.5
        x, y = half_width * np.cos(angle), half_height * np.sin(angle)
        along = float(np.rad2deg(np.arctan2(half_height * np.cos(angle), -half_width * np.sin(angle))))
        ribs.append(Ellipse(float(x), float(y), 0.075, 0.020, 520, along))
        ribs.append(Ellipse(float(x), float(y), 0.062, 0.010, 250, along))
    return ribs


def _chest(level: float, blood: float) -> list[Ellipse]:
    width, height = 0.84, 0.55
    lung = 0.55 + 0.45 * float(np.sin(np.pi * (0.15 + 0.75 * level)))
    heart = max(0.0, float(np.sin(np.pi * min(1.0, level * 1.1))))
    painted = [
        *_trunk(width, height),
        *_ribs(width - 0.13, height - 0.11, level),
        Ellipse(-0.38, 0.00, 0.29 * lung, 0.40 * lung, -850, -6),
        Ellipse(0.38, 0.00, 0.29 * lung, 0.40 * lung, -850, 6),
        *_lung_vessels(level, lung, blood),
        Ellipse(0, -0.05, 0.15, 0.30, -60),
        Ellipse(0.09, -0.03, 0.08 + 0.22 * heart, 0.07 + 0.19 * heart, 48, 28),
        Ellipse(0.10, -0.02, 0.04 + 0.13 * heart, 0.03 + 0.10 * heart, blood, 28),
        Ellipse(-0.05, -0.13, 0.055, 0.055, blood * 0.95),
        Ellipse(0.10, 0.19, 0.062, 0.062, blood),
        Ellipse(0, -0.40, 0.10, 0.030, 300),
    ]
    if level < 0.45:
        painted.append(Ellipse(0, 0.06, 0.048, 0.042, AIR_HU))
    else:
        painted += [Ellipse(-0.11, 0.09, 0.032, 0.03, AIR_HU), Ellipse(0.09, 0.09, 0.030, 0.03, AIR_HU)]
    return painted + _spine(0.27)


def _lung_vessels(level: float, lung: float, blood: float) -> list[Ellipse]:
    vessels = []
    for place in range(26):
        side = 1 if place % 2 else -1
        turn = place * 2.4 + level * 4
        far = (0.25 + 0.65 * ((place * 0.37) % 1)) * lung
        size = 0.022 * (1.1 - far / lung) + 0.004
        x, y = side * 0.38 + 0.27 * far * np.cos(turn), 0.36 * far * np.sin(turn)
        vessels.append(Ellipse(float(x), float(y), size * 1.6, size, blood * 0.6, float(np.rad2deg(turn))))
    return vessels


def _abdomen(level: float, blood: float) -> list[Ellipse]:
    width, height = 0.80, 0.54
    liver = float(np.cos(np.pi / 2 * min(1.0, level * 1.15)))
    kidney = float(np.sin(np.pi * min(1.0, max(0.0, level * 1.2 - 0.1))))
    organ = 105.0 if blood > 100 else 58.0
    painted = [*_trunk(width, height), Ellipse(0, -0.04, width - 0.14, height - 0.14, -105)]
    if level < 0.5:
        painted = painted[:-1] + _ribs(width - 0.12, height - 0.10, level) + painted[-1:]
    if liver > 0.1:
        painted += [
            Ellipse(-0.33, -0.03, 0.32 * liver, 0.31 * liver, organ, -12),
            Ellipse(-0.08, -0.20, 0.24 * liver, 0.13 * liver, organ, 14),
            Ellipse(-0.28, 0.00, 0.07 * liver, 0.020, blood * 0.9, 35),
            Ellipse(0.47, 0.12, 0.11 * liver, 0.17 * liver, organ + 12, 25),
        ]
    if kidney > 0.1:
        for side in (-1, 1):
            painted += [
                Ellipse(side * 0.36, 0.19, 0.10 * kidney, 0.13 * kidney, organ + 55, side * 20),
                Ellipse(side * 0.34, 0.19, 0.035 * kidney, 0.055 * kidney, -40, side * 20),
            ]
    painted += _bowel(level)
    painted += [Ellipse(0.05, 0.10, 0.052, 0.050, blood), Ellipse(-0.08, 0.10, 0.055, 0.045, blood * 0.75)]
    for side in (-1, 1):
        painted.append(Ellipse(side * 0.17, 0.26, 0.07, 0.09, 55, side * 15))
    return painted + _spine(0.24)


def _bowel(level: float) -> list[Ellipse]:
    loops = []
    for place in range(9):
        turn = place * 1.9 + level * 3
        x = 0.05 + 0.38 * np.cos(turn) * (0.4 + 0.6 * level)
        y = -0.19 + 0.12 * np.sin(turn * 1.3)
        loops.append(Ellipse(float(x), float(y), 0.075, 0.058, 35, float(np.rad2deg(turn))))
        filling = -700.0 if place % 3 == 0 else 15.0
        loops.append(Ellipse(float(x), float(y), 0.055, 0.040, filling, float(np.rad2deg(turn))))
    return loops


def _head(level: float, blood: float) -> list[Ellipse]:
    size = 0.55 + 0.45 * float(np.sin(np.pi * (0.12 + 0.72 * level)))
    wide, high = 0.70 * size, 0.87 * size
    painted = [
        Ellipse(0, 0, wide, high, 20),
        Ellipse(0, 0, wide - 0.025, high - 0.025, 1150),
        Ellipse(0, 0, wide - 0.045, high - 0.045, 650),
        Ellipse(0, 0, wide - 0.065, high - 0.065, 12),
        Ellipse(0, 0, wide - 0.080, high - 0.080, 38),
        Ellipse(0, 0, wide - 0.170, high - 0.170, 28),
        Ellipse(0, 0, 0.008, high - 0.075, 55),
    ]
    if level < 0.65:
        inner = 1.25 * size * (1.1 - level)
        for side in (-1, 1):
            painted += [
                Ellipse(side * 0.10 * size, -0.16 * size, 0.035 * inner, 0.15 * inner, 6, side * 18),
                Ellipse(side * 0.13 * size, 0.20 * size, 0.040 * inner, 0.16 * inner, 6, -side * 22),
                Ellipse(side * 0.13 * size, 0.02, 0.065 * inner, 0.085 * inner, 41),
            ]
        painted.append(Ellipse(0, 0.02, 0.014, 0.07 * inner, 6))
    painted.append(Ellipse(0, high - 0.10, 0.02, 0.018, max(blood, 60)))
    return painted
