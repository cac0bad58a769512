"""The character sets of devices, as whoever reads objects has them. Queries only.

They are one row that changes with the documents behind it, so that a process has them for one look at a key: every
batch of the index and every source of dose is read by those that hold then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache

from sqlalchemy import Connection, Text, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from treegarth.dicom.relabelling import Relabelling, Relabellings
from treegarth.index.tables import archive_state, instance

_NAME = "relabellings"


def read_relabellings(connection: Connection) -> Relabellings:
    """Those that hold now."""
    query = select(cast(archive_state.c.value, Text)).where(archive_state.c.name == _NAME)
    return _parsed(connection.execute(query).scalar_one_or_none() or "[]")


def relabellings_for(connection: Connection, orthanc_instance_id: str) -> Relabellings:
    """Those that hold now, for this object."""
    found = read_relabellings(connection)
    if not found:
        return found
    query = select(instance.c.remote_ae_title).where(instance.c.orthanc_instance_id == orthanc_instance_id)
    return found.sent_by(connection.execute(query).scalar_one_or_none())


def write_relabellings(connection: Connection, every: Sequence[Relabelling]) -> None:
    """These hold from the end of this transaction on."""
    statement = insert(archive_state).values(name=_NAME, value=[asdict(one) for one in every])
    changed = {"value": statement.excluded.value, "changed_at": func.now()}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


@lru_cache(maxsize=4)
def _parsed(text: str) -> Relabellings:
    return Relabellings([Relabelling(**one) for one in json.loads(text)])
