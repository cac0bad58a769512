"""Images are measured by workers alone: Orthanc's process and the indexer never load what does it."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEASURING = tuple(
    f"treegarth.features.dose.analysis.size.{one}" for one in ("images", "masks", "measurement", "service")
)
ALL_PAGES = "; ".join(
    (
        "import treegarth.bootstrap",
        "from pathlib import Path",
        "from treegarth.assembly import house",
        "from treegarth.settings import Settings",
        "house(Settings()).routes()",
    )
)


def loaded_by(statements: str) -> set[str]:
    asked = f"import sys; {statements}; print(*(one for one in {(*MEASURING, 'numpy')!r} if one in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)
    return set(answer.stdout.split())


@pytest.mark.parametrize("statements", [ALL_PAGES, "import treegarth.roles.indexer"], ids=["plugin", "indexer"])
def test_neither_orthancs_process_nor_the_indexer_loads_what_measures(statements: str) -> None:
    assert loaded_by(statements) & {*MEASURING} == set()


def test_a_worker_loads_it_when_there_is_something_to_measure() -> None:
    assert loaded_by("import treegarth.roles.worker") == set()
    assert loaded_by("import treegarth.features.dose.analysis.size.service") == {*MEASURING, "numpy"}
