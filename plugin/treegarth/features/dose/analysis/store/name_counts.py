"""How many exams and events each name has: read from the running counts, which are put together from time to time.

The counts are rows that are only added, by triggers, in the transaction that changes `exam_dose` or `event_dose`: so
they hold at once, and two writers of one name never wait for each other.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Subquery, Table, and_, cast, delete, func, insert, select

from treegarth.features.dose.analysis.tables import exam_name_count, protocol_name_count

_COUNTS: tuple[tuple[Table, Column[int]], ...] = (
    (exam_name_count, exam_name_count.c.exam_name_id),
    (protocol_name_count, protocol_name_count.c.protocol_name_id),
)


def counts_of_exams() -> Subquery:
    """`name_id` and `count`; a name that nothing has (any more) has no row."""
    return _counted(*_COUNTS[0])


def counts_of_events() -> Subquery:
    return _counted(*_COUNTS[1])


def _counted(table: Table, name_id: Column[int]) -> Subquery:
    total = cast(func.sum(table.c.count), BigInteger).label("count")
    return select(name_id.label("name_id"), total).group_by(name_id).having(total > 0).subquery(f"{table.name}ed")


def put_counts_together(connection: Connection) -> None:
    """One row for each name and scope instead of the rows that were added since. What is added meanwhile stays."""
    for table, name_id in _COUNTS:
        of = (name_id, table.c.scope_id)
        parted = select(*of).group_by(*of).having(func.count() > 1).subquery("parted")
        is_parted = and_(name_id == parted.c[name_id.name], table.c.scope_id == parted.c.scope_id)
        gone = delete(table).where(is_parted).returning(*of, table.c.count).cte("gone")
        total = func.sum(gone.c.count)
        whole = select(gone.c[name_id.name], gone.c.scope_id, cast(total, BigInteger))
        whole = whole.group_by(gone.c[name_id.name], gone.c.scope_id).having(total != 0)
        connection.execute(insert(table).from_select([name_id, table.c.scope_id, table.c.count], whole))
