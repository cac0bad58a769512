"""How many exams and events each name has, by scope, in step with the rows of statistics; and an index of events from
which the page of a protocol is answered without the table."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

EXAMS = ("exam", "exam_name_id", "exam_dose", "WHERE quantity = 'irradiation_event_count'")
EVENTS = ("protocol", "protocol_name_id", "event_dose", "WHERE protocol_name_id IS NOT NULL")
STATEMENTS = {
    "insert": ("REFERENCING NEW TABLE AS come", "SELECT * FROM come", None),
    "delete": ("REFERENCING OLD TABLE AS gone", None, "SELECT * FROM gone"),
    "update": ("REFERENCING OLD TABLE AS gone NEW TABLE AS come", "SELECT * FROM come", "SELECT * FROM gone"),
}
INCLUDED = [
    "mean_ctdi_vol_mgy", "dlp_mgy_cm", "dose_area_product_gy_m2", "dose_rp_gy", "average_glandular_dose_mgy",
    "doubted", "scope_id", "device_key", "study_date", "patient_age_years", "patient_weight_kg",
    "patient_size_m",
]  # fmt: skip


def upgrade() -> None:
    for of in (EXAMS, EVENTS):
        count_names(*of)
    op.drop_index("ix_event_dose_protocol", "event_dose")
    columns = ["protocol_name_id", "ctdiw_phantom_type", "orthanc_study_id"]
    op.create_index("ix_event_dose_protocol", "event_dose", columns, postgresql_include=INCLUDED)


def count_names(of: str, name: str, rows: str, counted: str) -> None:
    table = f"{of}_name_count"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(name, sa.Integer, sa.ForeignKey(f"{of}_name.id", ondelete="CASCADE"), nullable=False),
        sa.Column("scope_id", sa.Integer, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False, comment="a part: the sum of a name's rows is its count"),
        comment="rows are added, and put together from time to time: nobody waits for another's",
    )
    op.create_index(f"ix_{table}", table, [name], postgresql_include=["scope_id", "count"])
    summed = f"INSERT INTO {table} ({name}, scope_id, count) SELECT {name}, scope_id, "
    for word, (referencing, come, gone) in STATEMENTS.items():
        parts = [
            f"SELECT {name}, scope_id, {part} AS part FROM ({changed}) AS r {counted}"  # noqa: S608
            for changed, part in ((come, 1), (gone, -1))
            if changed is not None
        ]
        function = f"count_{of}_names_on_{word}"
        op.execute(f"""CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            {summed}sum(part) FROM ({" UNION ALL ".join(parts)}) AS p GROUP BY 1, 2 HAVING sum(part) <> 0;
            RETURN NULL; END $$""")
        op.execute(f"""CREATE TRIGGER {function} AFTER {word} ON {rows} {referencing}
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()""")
    op.execute(f"{summed}count(*) FROM {rows} {counted} GROUP BY 1, 2")
