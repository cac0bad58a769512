"""How many exams and events a name has, by running counts: always what a count of the rows says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update
from sqlalchemy.engine import Engine

from tests.dose_statistics import MadeExam, keep
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.figures import EXAM_COUNT
from treegarth.features.dose.analysis.store.name_counts import (
    counts_of_events,
    counts_of_exams,
    put_counts_together,
)
from treegarth.features.dose.analysis.store.names import exams_of_modalities
from treegarth.features.dose.analysis.tables import (
    event_dose,
    exam_dose,
    exam_name_count,
    protocol_name_count,
)
from treegarth.features.dose.registry.tables import dose_study

CHEST = MadeExam(doses={"dlp_mgy_cm": 300.0, EXAM_COUNT: 2.0}, events=({"dlp_mgy_cm": 150.0}, {"dlp_mgy_cm": 150.0}))
ACTS = ("add", "remove", "move to scope", "rename protocol", "put together", "roll back")


def counted(connection: Connection) -> tuple[dict[int, int], dict[int, int]]:
    exams, events = counts_of_exams(), counts_of_events()
    return tuple({row.name_id: row.count for row in connection.execute(select(one))} for one in (exams, events))  # type: ignore[return-value]


def rows_of(connection: Connection) -> tuple[dict[int, int], dict[int, int]]:
    name, protocol = exam_dose.c.exam_name_id, event_dose.c.protocol_name_id
    exams = select(name, func.count()).where(exam_dose.c.quantity == EXAM_COUNT).group_by(name)
    events = select(protocol, func.count()).where(protocol.is_not(None)).group_by(protocol)
    return tuple({row[0]: row[1] for row in connection.execute(one)} for one in (exams, events))  # type: ignore[return-value]


def by_scope(connection: Connection) -> list[dict[tuple[int, int], int]]:
    """Of both kinds: by the counts, and by the rows."""
    found = []
    for table, name in ((exam_name_count, "exam_name_id"), (protocol_name_count, "protocol_name_id")):
        total = func.sum(table.c.count)
        query = select(table.c[name], table.c.scope_id, total).group_by(table.c[name], table.c.scope_id)
        found.append({(row[0], row[1]): int(row[2]) for row in connection.execute(query.having(total != 0))})
    return found


def test_counts_are_by_scope_and_follow_a_move(engine: Engine) -> None:
    with transaction(engine) as connection:
        keep(connection, [replace(CHEST, orthanc_study_id=f"exam-of-scope-{number}") for number in range(3)])
        for table in (exam_dose, event_dose):
            moved = table.c.orthanc_study_id == "exam-of-scope-1"
            connection.execute(update(table).where(moved).values(scope_id=2))
    with connect(engine) as connection:
        exams, events = by_scope(connection)
        assert sorted(scope_and(exams)) == [(1, 2), (2, 1)]
        assert sorted(scope_and(events)) == [(1, 4), (2, 2)]


def scope_and(counts: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    return [(scope, count) for (_, scope), count in counts.items()]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5)), max_size=12))
def test_counts_are_what_the_rows_say_whatever_was_done(engine: Engine, acts: list[tuple[str, int]]) -> None:
    with transaction(engine) as connection:
        connection.execute(delete(dose_study))
    for act, number in acts:
        with engine.connect() as connection, connection.begin() as work:
            do(connection, act, number)
            if act == "roll back":
                work.rollback()
        with connect(engine) as connection:
            assert counted(connection) == rows_of(connection), act


def do(connection: Connection, act: str, number: int) -> None:
    study = f"exam-{number}"

    def of(table: Table) -> ColumnElement[bool]:
        return table.c.orthanc_study_id == study

    if act in ("add", "roll back"):
        connection.execute(delete(dose_study).where(of(dose_study)))
        protocol = None if number == 5 else f"P {number % 3}"
        keep(connection, [replace(CHEST, orthanc_study_id=study, name=f"Name {number % 2}", protocol=protocol)])
    elif act == "remove":
        connection.execute(delete(dose_study).where(of(dose_study)))
    elif act == "move to scope":
        connection.execute(update(exam_dose).where(of(exam_dose)).values(scope_id=number + 1))
    elif act == "rename protocol":
        some = select(func.min(event_dose.c.protocol_name_id)).scalar_subquery()
        connection.execute(update(event_dose).where(of(event_dose)).values(protocol_name_id=some))
    else:
        put_counts_together(connection)


def test_counts_that_are_put_together_leave_a_row_for_a_name(engine: Engine) -> None:
    with transaction(engine) as connection:
        keep(connection, [replace(CHEST, orthanc_study_id=f"exam-together-{number}") for number in range(7)])
        before = counted(connection)
        assert count_of(connection) > 2
        put_counts_together(connection)
        assert counted(connection) == before
        assert count_of(connection) == 2  # the name and the protocol


def count_of(connection: Connection) -> int:
    tables = (exam_name_count, protocol_name_count)
    return sum(connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables)


def test_what_is_added_while_counts_are_put_together_stays(engine: Engine) -> None:
    with transaction(engine) as connection:
        keep(connection, [replace(CHEST, orthanc_study_id=f"exam-before-{number}") for number in range(3)])
    with engine.connect() as adding, adding.begin():
        keep(adding, [replace(CHEST, orthanc_study_id="exam-meanwhile")])
        with transaction(engine) as connection:
            put_counts_together(connection)
    with connect(engine) as connection:
        assert counted(connection) == rows_of(connection)
        assert exams_of_modalities(connection) == {"CT": 4}
