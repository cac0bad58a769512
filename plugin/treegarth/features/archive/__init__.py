"""The archive's index: what is in Orthanc, findable in PostgreSQL."""
