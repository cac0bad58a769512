"""The queries of size-specific dose."""
