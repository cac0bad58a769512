"""Studies of small CT objects, by the number."""

from __future__ import annotations

from pathlib import Path

from tests.load import small_instances


def small_studies(folder: Path, *, studies: int, series: int, instances: int, seed: int = 0) -> list[Path]:
    """Write so many studies of so many series of so many instances each; another seed gives others; their paths."""
    count = studies * series * instances
    return small_instances(count, folder, seed=seed, series_size=instances, series_per_study=series)
