"""The queries of the analysis."""
