"""Statistics and derived doses over HTTP."""
