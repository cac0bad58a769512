"""The rules feature's queries: the only SQL of rules."""
