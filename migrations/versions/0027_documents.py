"""Rules for what is no patient, and saved views, as documents: named, on or off, every change a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NAMED = """
UPDATE not_patient_rule SET is_on = removed_at IS NULL, version = CASE WHEN removed_at IS NULL THEN 1 ELSE 2 END,
name = left(concat_ws(', ', patient_id, patient_name, study_description, equipment), 150)
"""
# Of two that are there with the same patterns the second has its number in its name.
TOLD_APART = """
UPDATE not_patient_rule AS one SET name = one.name || ' (' || one.id || ')'
WHERE EXISTS (SELECT FROM not_patient_rule AS other WHERE other.name = one.name AND other.id < one.id)
"""
VERSIONS = """
INSERT INTO not_patient_rule_version
(not_patient_rule_id, version, document, is_on, change, changed_by, changed_at)
SELECT id, one.version, jsonb_strip_nulls(jsonb_build_object('name', name, 'meaning', meaning, 'patient_id', patient_id,
'patient_name', patient_name, 'study_description', study_description, 'equipment', equipment, 'note', note)),
one.version = 1, one.change, CASE one.version WHEN 1 THEN created_by ELSE removed_by END,
CASE one.version WHEN 1 THEN created_at ELSE removed_at END
FROM not_patient_rule JOIN (VALUES (1, 'created'), (2, 'removed')) AS one (version, change)
ON one.version <= not_patient_rule.version
"""


VIEWS = """
INSERT INTO saved_view_version (saved_view_id, version, document, is_on, change, changed_by, changed_at)
SELECT id, 1, jsonb_build_object('name', name, 'list', list, 'query', query, 'shared', is_shared), true, 'created',
saved_by, saved_at FROM saved_view
"""


def upgrade() -> None:
    keep_rules()
    keep_views()


def keep_rules() -> None:
    op.add_column("not_patient_rule", sa.Column("name", sa.Text))
    op.add_column("not_patient_rule", sa.Column("version", sa.Integer, comment="the latest: it acts"))
    op.add_column("not_patient_rule", sa.Column("is_on", sa.Boolean))
    create_versions("not_patient_rule")
    for statement in (NAMED, TOLD_APART, VERSIONS):
        op.execute(statement)
    for name in ("name", "version", "is_on"):
        op.alter_column("not_patient_rule", name, nullable=False)
    for name in ("note", "created_by", "created_at", "removed_by"):
        op.drop_column("not_patient_rule", name)
    op.alter_column("not_patient_rule", "removed_at", comment="what was removed stays, for what it did refers to it")
    op.create_index(
        "uq_not_patient_rule_name", "not_patient_rule", ["name"], unique=True, postgresql_where="removed_at IS NULL"
    )


def keep_views() -> None:
    removed = "what was removed stays, for what it did refers to it"
    version = sa.Column("version", sa.Integer, nullable=False, server_default="1", comment="the latest: it acts")
    op.add_column("saved_view", version)
    op.add_column("saved_view", sa.Column("is_on", sa.Boolean, nullable=False, server_default="true"))
    op.add_column("saved_view", sa.Column("removed_at", MOMENT, comment=removed))
    for name in ("version", "is_on"):
        op.alter_column("saved_view", name, server_default=None)
    create_versions("saved_view")
    op.execute(VIEWS)
    op.drop_index("uq_saved_view", "saved_view")
    columns = ["name", "list", sa.text("coalesce(saved_by, '')")]
    op.create_index("uq_saved_view_name", "saved_view", columns, unique=True, postgresql_where="removed_at IS NULL")


def create_versions(name: str) -> None:
    op.create_table(
        f"{name}_version",
        sa.Column(f"{name}_id", sa.Integer, sa.ForeignKey(f"{name}.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )
