"""The version of what measures, and how much of a series it measures. Constants only, of which pages speak too."""

READER_VERSION = 1
"""Raise it where it measures otherwise, and have the archive measured again."""
MOST_SLICES = 25
"""Of a longer series so many are measured, evenly spaced: a trunk of 60 cm every 25 mm."""
