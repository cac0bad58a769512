"""PostgreSQL: engine, the embedded server, migrations at start."""
