"""How long PostgreSQL takes for every order of every list: its first page, and one in its middle.

TREEGARTH_BENCH_ROWS rows of each list (1,000,000), made once a folder: see `kept_database`. The pages are read as pages
and endpoints read them, and each statement of theirs is explained: a page that an index gives in its order sorts a few
rows at most, any other sorts all that the list has.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection, Engine, Select, and_, event, or_

from tests.bench.kept_database import kept_database
from tests.bench.report import Figure
from tests.full_lists import PLACE, STATEMENTS, TABLES
from tests.lists import lists_of
from tests.unit.web.web_support import make_services
from treegarth.assembly import house, vocabulary
from treegarth.database.engine import connect
from treegarth.settings import Settings
from treegarth.web.listing import Listing

ROUNDS = 2
USUAL_WITHIN_MS = 2000.0
AT_A_GLANCE = 1000
"""Rows: who sorts no more than so many has read an index in its order."""
WEB = Path(__file__).resolve().parents[2] / "web"
Statement = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order of a list, measured."""

    listing: str
    sort: str
    is_usual: bool
    first_ms: float
    middle_ms: float
    sorted_rows: int  # the most that one of the statements sorted

    @property
    def milliseconds(self) -> float:
        return max(self.first_ms, self.middle_ms)

    def as_line(self, usual: Order) -> str:
        how = "index" if self.sorted_rows <= AT_A_GLANCE else f"sorts {self.sorted_rows:,}"
        ratio = self.milliseconds / usual.milliseconds
        times = f"{self.first_ms:>9.1f} {self.middle_ms:>9.1f} ms"
        return f"{self.listing:<26} {self.sort:<30} {times}  {how:<16} {ratio:>8.1f}"


def measure() -> list[Figure]:
    """Prints the table of all orders; its figures are the usual and the slowest order of each list."""
    count = int(os.environ.get("TREEGARTH_BENCH_ROWS", "1000000"))
    vocabulary()  # every feature's tables are known from here on
    with kept_database("lists", count, counted="hold", tables=TABLES, statements=STATEMENTS) as engine:
        return [figure for listing in lists_of(house(Settings())) for figure in _figures(engine, listing)]


def _figures(engine: Engine, listing: Listing[Any, Any]) -> Iterator[Figure]:
    orders = list(orders_of(engine, listing))
    usual = next(one for one in orders if one.is_usual)
    for one in sorted(orders, key=lambda one: one.milliseconds):
        sys.stdout.write(f"{one.as_line(usual)}\n")
    sys.stdout.flush()
    slowest = max(orders, key=lambda one: one.milliseconds)
    yield Figure(f"{listing.name}, usual order", usual.milliseconds, "ms", at_most=USUAL_WITHIN_MS)
    yield Figure(f"{listing.name}, slowest order: {slowest.sort}", slowest.milliseconds, "ms")


def orders_of(engine: Engine, listing: Listing[Any, Any]) -> Iterator[Order]:
    """Raises AssertionError where the list has less than two pages."""
    call: Any = SimpleNamespace(services=make_services(WEB, engine=lambda: engine), path=SimpleNamespace(**PLACE))
    with connect(engine) as connection:
        half = listing.count(connection, listing.query(call, connection, listing.asked()), at_most=10**9) // 2
        for sort in listing.sorts:
            found = listing.query(call, connection, cast("Any", listing.list_query(sort=sort)))
            first_ms, statements = _page(connection, listing, found, sort, None)
            cursor = _cursor_after(connection, listing, found, sort, half, statements[0])
            middle_ms, more = _page(connection, listing, found, sort, cursor)
            yield Order(
                listing=listing.name,
                sort=sort,
                is_usual=sort == listing.order,
                first_ms=first_ms,
                middle_ms=middle_ms,
                sorted_rows=max(_most_sorted(connection, one) for one in (*statements, *more)),
            )


def _page(
    connection: Connection, listing: Listing[Any, Any], found: Select[Any], sort: str, cursor: str | None
) -> tuple[float, list[Statement]]:
    """How long a page takes that was read before, the quickest of some rounds, and its statements."""
    with _noted(connection.engine) as statements:
        listing.rows(connection, found, sort=sort, cursor=cursor)
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        listing.rows(connection, found, sort=sort, cursor=cursor)
        times.append((perf_counter() - began) * 1000)
    return min(times), statements


@contextmanager
def _noted(engine: Engine) -> Iterator[list[Statement]]:
    """What is asked meanwhile, as the driver is given it."""
    statements: list[Statement] = []

    def note(_: Any, __: Any, statement: str, parameters: Mapping[str, Any], *___: Any) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _cursor_after(
    connection: Connection, listing: Listing[Any, Any], found: Select[Any], sort: str, half: int, first_page: Statement
) -> str:
    """The cursor that the row after so many others gives."""
    text, parameters = first_page
    unique = (listing.unique,) if isinstance(listing.unique, str) else listing.unique
    whole = re.sub(r"\s+LIMIT \S+\s*$", "", text)
    names = ", ".join(unique)
    rows = _asked(connection, f"SELECT {names} FROM ({whole}) one OFFSET {half} LIMIT 2", parameters)  # noqa: S608
    assert len(rows) == 2, f"{listing.name} has less than two pages"
    columns = [found.selected_columns[name] for name in unique]
    both = or_(*(and_(*(c == v for c, v in zip(columns, row, strict=True))) for row in rows))
    cursor = listing.rows(connection, found.where(both), sort=sort, limit=1).next
    assert cursor is not None
    return cursor


def _most_sorted(connection: Connection, statement: Statement) -> int:
    """The most rows that one node of its plan sorts."""
    text, parameters = statement
    [[explained]] = _asked(connection, f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}", parameters)
    return max((_rows_into(node) for node in _nodes(explained[0]["Plan"]) if "Sort" in node["Node Type"]), default=0)


def _asked(connection: Connection, text: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
    return connection.exec_driver_sql(text, dict(parameters)).all()


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _rows_into(node: Mapping[str, Any]) -> int:
    """PostgreSQL says rows a loop, of workers each."""
    return max(int(below["Actual Rows"] * below["Actual Loops"]) for below in node["Plans"])
