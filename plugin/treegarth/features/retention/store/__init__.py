"""The queries of retention: nothing else in this feature holds SQL."""
