"""From what Orthanc reports to rows in the index: the indexer process. It never runs inside Orthanc."""
