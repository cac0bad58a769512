"""What of a search left the archive: the ledger has it. Reads only."""

from __future__ import annotations

from sqlalchemy import Connection, exists, func, literal, select

from treegarth.index.study_search import StudySearch
from treegarth.index.tables import departed_study, study


def count_departed(connection: Connection, search: StudySearch, words: str, *, at_most: int) -> int:
    """How many studies that left the archive these words find, and nothing of which is here; counted to one more."""
    found = search.of_departed(words)
    if not found:
        return 0
    is_here = exists().where(study.c.orthanc_study_id == departed_study.c.orthanc_study_id, study.c.instance_count > 0)
    gone = select(literal(1)).select_from(departed_study).where(*found, departed_study.c.state == "deleted", ~is_here)
    return connection.execute(select(func.count()).select_from(gone.limit(at_most + 1).subquery())).scalar_one()
