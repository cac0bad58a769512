"""Bring the database to the form that this code expects, before anybody works with it."""

from __future__ import annotations

import logging

from treegarth.database.migration import migrate
from treegarth.errors import DatabaseNewerThanCode, DatabaseUnsuitable, TreegarthError
from treegarth.host.supervisor import MIGRATION_REFUSED
from treegarth.roles.duty import database_of, read_instructions

logger = logging.getLogger(__name__)


def main() -> int:
    """0 when the database fits, MIGRATION_REFUSED where trying again does not help, else 1."""
    try:
        migrate(database_of(read_instructions()))
    except (DatabaseNewerThanCode, DatabaseUnsuitable) as error:
        logger.error("%s", error)
        return MIGRATION_REFUSED
    except TreegarthError as error:
        logger.warning("%s", error)
        return 1
    return 0
