"""The audit trail: who did what, when, from where. Append-only, each event bound to the one before by its hash."""
