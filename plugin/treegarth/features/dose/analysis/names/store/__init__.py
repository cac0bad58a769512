"""The queries of standard names."""
