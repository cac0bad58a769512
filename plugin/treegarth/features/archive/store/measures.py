"""How large the index is and what arrives, for a monitoring system."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from treegarth.features.archive.store.deep_objects import count_deep_objects
from treegarth.index.tables import arrival, study
from treegarth.web.metrics import Metric, single


def measure(connection: Connection, now: datetime) -> list[Metric]:
    """Studies, instances and bytes that Orthanc holds, by the studies' own counts; studies that are arriving."""
    held = (
        func.count().filter(study.c.instance_count > 0).label("studies"),
        func.coalesce(func.sum(study.c.instance_count), 0).label("instances"),
        func.coalesce(func.sum(study.c.size_bytes), 0).label("size_bytes"),
    )
    found = connection.execute(select(*held)).one()
    arriving = select(func.count(arrival.c.orthanc_study_id.distinct()))
    return [
        single("indexed_studies", "Studies in the index.", found.studies),
        single("indexed_instances", "Instances in the index.", int(found.instances)),
        single("indexed_bytes", "Their size.", int(found.size_bytes)),
        single("arriving_studies", "Studies that are not stable yet.", connection.execute(arriving).scalar_one()),
        single("deep_instances", "Instances nested too deep for Orthanc to show.", count_deep_objects(connection)),
    ]
