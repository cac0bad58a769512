"""What a process does not need it does not load: memory, and the proof that a floor knows nothing of the one above."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVING = ("flask", "jinja2", "babel", "werkzeug")


def loaded(module: str, of: tuple[str, ...]) -> set[str]:
    """Which of these packages a new process has loaded after it imported the module."""
    asked = f"import sys, {module}; print(*(one for one in {of!r} if one in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    return set(answer.stdout.split())


@pytest.mark.parametrize("role", ["indexer", "worker"])
def test_who_serves_no_page_loads_nothing_of_pages_and_of_s3(role: str) -> None:
    assert loaded(f"treegarth.roles.{role}", (*SERVING, "boto3", "pyarrow", "xlsxwriter", "alembic")) == set()


def test_the_plugin_itself_loads_what_it_serves_with() -> None:
    assert loaded("treegarth.bootstrap", SERVING) == set(SERVING)  # else nothing above would be seen


QUERYING = ("sqlalchemy", "psycopg", "procrastinate")
FEATURES = ("archive", "deliveries", "dose", "retention", "rules", "system")
PURE = (
    *("reach", "phrases", "settings", "feature", "web.paths", "index.instances", "dicom.headers", "dicom.sr_tree"),
    *("audit.model", "audit.chain", "audit.verify", "audit.bundles", "audit.orthanc_addresses"),
    *("conditions.model", "conditions.text", "conditions.decision", "conditions.patterns"),
    *("features.dose.reading", "features.dose.registry.decision", "features.dose.registry.rules"),
    *("features.deliveries.model", "features.deliveries.transitions", "features.deliveries.windows"),
    *("features.retention.model", "features.retention.rules", "features.rules.model", "features.rules.schedule"),
)


@pytest.mark.parametrize("name", FEATURES)
def test_a_front_door_loads_nothing_of_what_is_behind_it(name: str) -> None:
    assert loaded(f"treegarth.features.{name}", (*SERVING, *QUERYING, "treegarth.index.tables")) == set()


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_loads_neither_pages_nor_database_nor_queue(name: str) -> None:
    assert loaded(f"treegarth.{name}", (*SERVING, *QUERYING)) == set()
