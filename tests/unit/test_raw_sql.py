"""Statements are SQLAlchemy's expressions on the tables: a module that writes one as a text stands here, with why."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "plugin" / "treegarth"

STORE_PATH = "of the store path: the same text for any number of rows, planned once"
DISTINCT_ON = "DISTINCT ON, of which SQLAlchemy 2.0 and 2.1 are told in different ways"
MAY_WRITE_TEXTS = {
    "database/engine.py": "of psycopg's connection, before SQLAlchemy has it",
    "database/embedded/server.py": "by psycopg alone, before there is a database to make an engine for",
    "features/archive/store/arrivals.py": STORE_PATH,
    "features/archive/store/batches.py": STORE_PATH,
    "features/archive/store/removal.py": DISTINCT_ON,
    "features/dose/alerts/store/due.py": STORE_PATH,
    "features/dose/analysis/store/values.py": STORE_PATH,
    "features/dose/registry/store/exams.py": STORE_PATH + "; advisory locks in the order of an array",
    "features/dose/registry/store/modalities.py": STORE_PATH,
    "features/dose/registry/store/redecision.py": "PostgreSQL's catalogue, of which there is no table",
    "features/dose/registry/store/samples.py": STORE_PATH,
    "features/dose/registry/store/undecided.py": STORE_PATH + "; advisory locks in the order of an array",
    "features/retention/store/departed.py": DISTINCT_ON,
    "features/retention/store/ledger_sums.py": STORE_PATH,
    "index/parents.py": STORE_PATH + "; a writable CTE and the rows of a JSON text",
    "tasks/failures.py": "by procrastinate's connector, which takes texts",
}

BEGINNING = re.compile(r"[\s(]*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH)\s")


def raw_statements(source: str) -> list[int]:
    """The lines where a text begins as a statement does: in capitals anywhere but in a docstring, in any letters where
    it is handed to `text`, `exec_driver_sql` or `execute`."""
    tree = ast.parse(source)
    return sorted({*(_lines_in_capitals(tree)), *(_lines_handed_over(tree))})


def _lines_in_capitals(tree: ast.Module) -> Iterator[int]:
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings and BEGINNING.match(_words(node)):
            yield node.lineno


def _lines_handed_over(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in {"text", "exec_driver_sql", "execute"}:
            given = node.args[0]
            first = given.values[0] if isinstance(given, ast.JoinedStr) and given.values else given
            if BEGINNING.match(_words(first).upper()):
                yield node.lineno


def _words(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def test_statements_are_texts_only_where_it_is_said_why() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        lines = raw_statements(path.read_text(encoding="utf-8"))
        if lines:
            found[path.relative_to(PACKAGE).as_posix()] = lines
    unknown = {name: lines for name, lines in found.items() if name not in MAY_WRITE_TEXTS}
    assert not unknown, f"say it by the tables, or say here why not: {unknown}"
    assert not MAY_WRITE_TEXTS.keys() - found.keys(), "these write no statement as a text any more"


@pytest.mark.parametrize(
    "source",
    [
        'connection.execute(text("SELECT 1"))',
        'connection.execute(text(f"SELECT {key} FROM study"))',
        'QUERY = """\n  WITH RECURSIVE one AS (SELECT 1) SELECT * FROM one\n"""',
        'sqlalchemy.text("select 1")',
        'connection.exec_driver_sql("delete from study")',
        "def insert(table): return f'INSERT INTO {table} ' + rest",
        'text("(SELECT 1) UNION (SELECT 2)")',
    ],
)
def test_a_statement_written_as_a_text_is_seen(source: str) -> None:
    assert raw_statements(source)


@pytest.mark.parametrize(
    "source",
    [
        "connection.execute(select(study.c.orthanc_study_id))",
        "connection.execute(text(\"SET LOCAL work_mem = '64MB'\"))",
        'Index("ix", text("id DESC"), postgresql_where=text("state = \'waiting\'"))',
        'def index():\n    """SELECT of a kind."""',
        'P_("Select a study with a report.")',
        'route(method="DELETE")',
    ],
)
def test_what_is_no_statement_is_not_taken_for_one(source: str) -> None:
    assert not raw_statements(source)
