"""The way to what the index has, for every feature: its tables, and which study an address means. Below the features,
which may not know each other."""
