"""Where alerts are kept: what waits to be looked at, levels, alerts and their history. Queries only."""
