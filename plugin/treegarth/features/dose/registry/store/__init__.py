"""The queries of the dose registry; nothing else in this feature holds SQL."""
