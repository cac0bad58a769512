"""Puts a picture into an object's Image Pixel module (PS3.3 C.7.6.3). Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset


def add_pixels(dataset: Dataset, stored: NDArray[np.generic], *, bits_stored: int, signed: bool = False) -> None:
    """Writes stored values of shape (rows, columns) or (frames, rows, columns); 8 bits are allocated up to 8 stored."""
    allocated = 8 if bits_stored <= 8 else 16
    low, high = (-(1 << (bits_stored - 1)), (1 << (bits_stored - 1)) - 1) if signed else (0, (1 << bits_stored) - 1)
    kind = np.dtype(f"{'i' if signed else 'u'}{allocated // 8}").newbyteorder("<")
    pixels = np.clip(np.rint(stored), low, high).astype(kind)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = allocated
    dataset.BitsStored = bits_stored
    dataset.HighBit = bits_stored - 1
    dataset.PixelRepresentation = int(signed)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if allocated == 16 else "OB"


def chance_of(identifier: str) -> np.random.Generator:
    """The random numbers that belong to an identifier: the same ones every time."""
    return np.random.default_rng(list(identifier.encode("ascii")))
