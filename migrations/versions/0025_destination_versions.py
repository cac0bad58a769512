"""Destinations as documents: every change a version, from what was noted of them before; on instead of paused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
# A destination was on from the start; each pause and each end of one says how it was from then on.
NOTED = """
INSERT INTO destination_version (destination_id, version, document, is_on, change, changed_by, changed_at)
SELECT destination_id, row_number() OVER (PARTITION BY destination_id ORDER BY id), document,
change <> 'removed' AND coalesce((SELECT before.change = 'resumed' FROM destination_change AS before
WHERE before.destination_id = one.destination_id AND before.id <= one.id AND before.change IN ('paused', 'resumed')
ORDER BY before.id DESC LIMIT 1), true),
CASE change WHEN 'paused' THEN 'switched off' WHEN 'resumed' THEN 'switched on' ELSE change END, changed_by, changed_at
FROM destination_change AS one
"""
# What acts now is what the latest version says: an alternate's new name was never noted.
AS_IT_ACTS = """
CREATE TEMPORARY TABLE as_it_acts AS SELECT id, is_on, jsonb_strip_nulls(jsonb_build_object('name', name, 'kind', kind,
'address', address, 'proof', proof, 'alternate', alternate, 'windows', windows, 'max_associations', max_associations,
'max_mbit_per_s', max_mbit_per_s, 'max_attempts', max_attempts)) AS document FROM destination
"""
UNNOTED = """
INSERT INTO destination_version (destination_id, version, document, is_on, change, changed_at)
SELECT id, 1, document, is_on, 'created', '1970-01-01 00:00:00+00' FROM as_it_acts
WHERE NOT EXISTS (SELECT FROM destination_version AS one WHERE one.destination_id = id)
"""
COUNTED = """
UPDATE destination SET version = (SELECT max(version) FROM destination_version AS one
WHERE one.destination_id = destination.id)
"""
SAID = """
UPDATE destination_version AS one SET document = as_it_acts.document, is_on = as_it_acts.is_on
FROM as_it_acts JOIN destination USING (id)
WHERE one.destination_id = destination.id AND one.version = destination.version
"""


def upgrade() -> None:
    is_on = sa.Column(
        "is_on", sa.Boolean, nullable=False, server_default="true", comment="false: a person has paused it"
    )
    op.add_column("destination", is_on)
    op.execute("UPDATE destination SET is_on = removed_at IS NULL AND NOT is_paused")
    op.drop_column("destination", "is_paused")
    op.alter_column(
        "destination",
        "version",
        comment="the latest of destination_version: it acts",
        existing_comment="counts how often its settings were set",
    )
    op.create_table(
        "destination_version",
        sa.Column("destination_id", sa.Integer, sa.ForeignKey("destination.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False, comment="its settings; secrets by reference"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every destination",
    )
    for statement in (NOTED, AS_IT_ACTS, UNNOTED, COUNTED, SAID):
        op.execute(statement)
    op.drop_table("as_it_acts")
    op.drop_table("destination_change")
