"""Five words for how far an object is, what is kept under the old words; what made a rule match, notices by study.

Builds four indexes of the ledger of deliveries and one of the wishes; writes no row of either.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# Conditions of rules and policies, in every version that is kept.
CONDITIONS = """
UPDATE {table} SET document = replace(document::text, 'delivery.confirmed', 'delivery.arrived')::jsonb
WHERE document::text LIKE '%delivery.confirmed%'
"""
# Saved views of the two lists.
VIEWS = """
UPDATE saved_view SET query = jsonb_set(query, '{state}', to_jsonb(CASE query ->> 'state'
    WHEN 'failed' THEN 'waiting' WHEN 'sent' THEN 'unproved' WHEN 'confirmed' THEN 'arrived' ELSE 'given up' END))
WHERE list IN ('deliveries.deliveries', 'deliveries.objects')
AND query ->> 'state' IN ('failed', 'sent', 'confirmed', 'gone')
"""


def upgrade() -> None:
    for table in ("rule_version", "retention_policy_version"):
        op.execute(CONDITIONS.format(table=table))
    op.execute(VIEWS)
    op.drop_index("ix_delivery_orthanc_study", "delivery")
    op.create_index("ix_delivery_orthanc_study", "delivery", ["orthanc_study_id", "destination_id", "id"])
    op.drop_index("ix_delivery_object_trouble", "delivery_object")
    op.create_index(
        "ix_delivery_object_trouble",
        "delivery_object",
        ["destination_id", "orthanc_instance_id"],
        postgresql_where=sa.text("state IN ('given up', 'gone')"),
    )
    op.create_index(
        "ix_delivery_object_arrived",
        "delivery_object",
        ["destination_id"],
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_index(
        "ix_delivery_object_unproved",
        "delivery_object",
        ["destination_id", "orthanc_instance_id"],
        postgresql_where=sa.text("state = 'sent' AND proof IS NOT NULL"),
    )
    op.create_index("ix_delivery_object_queued", "delivery_object", ["destination_id", "queued_at"])
    op.add_column(
        "notification",
        sa.Column("matched", JSONB, comment="[{field, values}]: by what the rule matched; it never leaves the house"),
    )
    op.create_index(
        "ix_notification_study",
        "notification",
        ["orthanc_study_id", "id"],
        postgresql_where=sa.text("channel = 'dashboard'"),
    )
    op.create_index(
        "ix_notification_unseen",
        "notification",
        ["orthanc_study_id"],
        postgresql_where=sa.text("channel = 'dashboard' AND state = 'waiting'"),
    )
