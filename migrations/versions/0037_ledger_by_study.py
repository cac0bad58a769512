"""The ledger keeps whose the studies were that left, and what its entries of each add up to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.String(collation="C")
SEARCH_TEXT = """
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = 'study'::regclass AND attname = 'search_text'
"""
# What somebody deleted in Orthanc was not noted as being here again. Its next entry says when it was received once
# more, and so does the index.
RETURNED = (
    """
    UPDATE prune_ledger l SET returned_at = n.received_at
    FROM (SELECT id, lead(received_at) OVER (PARTITION BY orthanc_instance_id ORDER BY id) AS received_at
        FROM prune_ledger WHERE state = 'deleted') n
    WHERE n.id = l.id AND l.state = 'deleted' AND l.returned_at IS NULL AND n.received_at IS NOT NULL
    """,
    """
    UPDATE prune_ledger l SET returned_at = i.received_at FROM instance i
    WHERE i.orthanc_instance_id = l.orthanc_instance_id AND l.state = 'deleted' AND l.returned_at IS NULL
    AND i.received_at > l.deleted_at
    """,
)
# Of the index where it still has the study, else of the dose registry, which keeps what is known of those that left.
STUDIES = """
INSERT INTO departed_study (orthanc_study_id, study_instance_uid, patient_id, patient_name, patient_birth_date,
    patient_sex, study_date, study_description, accession_number, modalities, state, instance_count, size_bytes,
    returned_instance_count, policy_ids, by_others, left_at)
SELECT l.orthanc_study_id, l.study_instance_uid, coalesce(t.patient_id, d.patient_id, l.patient_id),
    coalesce(t.patient_name, d.patient_name), t.patient_birth_date,
    coalesce(t.patient_sex, d.patient_sex), coalesce(t.study_date, d.study_date),
    coalesce(t.study_description, d.study_description), coalesce(t.accession_number, d.accession_number),
    l.modalities,
    CASE WHEN l.gone > 0 THEN 'deleted' WHEN l.intended THEN 'intended' WHEN l.returned > 0 THEN 'returned'
        ELSE 'kept' END,
    l.gone, l.bytes, l.returned, l.policies, l.others, l.left_at
FROM (
    SELECT orthanc_study_id, min(study_instance_uid) AS study_instance_uid, max(patient_id) AS patient_id,
        coalesce(
            array_agg(DISTINCT modality ORDER BY modality) FILTER (WHERE modality IS NOT NULL), '{}'
        ) AS modalities,
        count(*) FILTER (WHERE state = 'deleted' AND returned_at IS NULL) AS gone,
        coalesce(sum(size_bytes) FILTER (WHERE state = 'deleted' AND returned_at IS NULL), 0) AS bytes,
        count(*) FILTER (WHERE returned_at IS NOT NULL) AS returned, bool_or(state = 'intended') AS intended,
        coalesce(
            array_agg(DISTINCT policy_id ORDER BY policy_id) FILTER (WHERE policy_id IS NOT NULL), '{}'
        ) AS policies,
        bool_or(policy_id IS NULL) AS others, max(coalesce(deleted_at, intended_at, received_at)) AS left_at
    FROM prune_ledger GROUP BY orthanc_study_id
) l LEFT JOIN study t ON t.orthanc_study_id = l.orthanc_study_id
LEFT JOIN dose_study d ON d.orthanc_study_id = l.orthanc_study_id
"""


def upgrade() -> None:
    as_in_study = op.get_bind().execute(sa.text(SEARCH_TEXT)).scalar_one()
    op.create_table(
        "departed_study",
        sa.Column("orthanc_study_id", KEY, primary_key=True),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("patient_id", sa.Text, comment="as the study said when its last object left, like what follows"),
        sa.Column("patient_name", sa.Text),
        sa.Column("patient_birth_date", sa.Date),
        sa.Column("patient_sex", sa.Text),
        sa.Column("study_date", sa.Date),
        sa.Column("study_description", sa.Text),
        sa.Column("accession_number", sa.Text),
        sa.Column("modalities", ARRAY(sa.Text), nullable=False, server_default="{}", comment="sorted, of what left"),
        sa.Column(
            "state",
            sa.Text,
            nullable=False,
            server_default="kept",
            comment="deleted: something is gone; intended: something is about to go; returned: all is here again; kept",
        ),
        sa.Column("instance_count", sa.Integer, nullable=False, server_default="0", comment="objects that are gone"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0", comment="of these"),
        sa.Column("returned_instance_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column(
            "policy_ids", ARRAY(sa.Integer), nullable=False, server_default="{}", comment="whose doing it was, sorted"
        ),
        sa.Column(
            "by_others",
            sa.Boolean,
            nullable=False,
            server_default=sa.text("false"),
            comment="somebody deleted in Orthanc",
        ),
        sa.Column("left_at", MOMENT, nullable=False, server_default=sa.func.now(), comment="the last of it"),
        sa.Column("search_text", sa.Text, sa.Computed(as_in_study, persisted=True), comment="as that of study"),
        comment=(
            "whose the studies were that objects left of, and how much: what the ledger's entries of each add up to"
        ),
    )
    for statement in (*RETURNED, STUDIES):
        op.execute(statement)
    op.create_index("ix_departed_study_uid", "departed_study", ["study_instance_uid"])
    op.create_index("ix_departed_study_patient", "departed_study", ["patient_id"])
    newest = [sa.text("left_at DESC"), sa.text("orthanc_study_id DESC")]
    op.create_index("ix_departed_study_left", "departed_study", newest)
    op.drop_index("ix_prune_ledger_study", "prune_ledger")
    op.create_index("ix_prune_ledger_study", "prune_ledger", ["orthanc_study_id"])
