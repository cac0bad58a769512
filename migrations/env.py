"""Alembic's environment. Online only, on the connection that `treegarth migrate` hands over; there is no alembic.ini.

Everything runs in that connection's transaction: a killed migration leaves the database as it was. There is no way
down: a downgrade of a database that already holds newer data loses it, so one restores the backup made before.
Revisions are written by hand; a test compares what they make with the tables in the code.
"""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run `treegarth migrate`: it knows where the database is and lets one migration run at a time.")

context.configure(connection=connection, target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
