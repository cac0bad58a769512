"""Radiation dose: read from reports, kept, shown."""
