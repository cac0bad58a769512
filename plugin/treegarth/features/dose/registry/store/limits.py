"""The limits of plausibility that hold here: the built-in ones, and what the site says otherwise. Queries only."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from treegarth.features.dose.analysis.store.derived import count_changes
from treegarth.features.dose.plausibility import BUILT_IN, Limits
from treegarth.features.dose.reading.model import DECIDER_VERSION
from treegarth.features.dose.registry.tables import dose_limit, dose_limit_version

SITES = 1_000_000
"""Versions of the site's limits within one version of what decides."""


def limits_of(connection: Connection) -> Limits:
    """By name. A site's own limit stands for the one that is built in."""
    found = dict(BUILT_IN)
    names = ("quantity", "least", "greatest")
    rows = connection.execute(select(*(dose_limit.c[name] for name in names)).where(dose_limit.c.is_on))
    for row in rows:
        built_in = found.get(row.quantity)
        if built_in is not None:
            least = built_in.least if row.least is None else row.least
            greatest = built_in.greatest if row.greatest is None else row.greatest
            found[row.quantity] = replace(built_in, least=least, greatest=greatest)
    return found


def decider_version(connection: Connection) -> int:
    """Of what decides now: rises with the code, and with every change of the site's limits and coefficients."""
    changes = connection.execute(select(func.count()).select_from(dose_limit_version)).scalar_one()
    return DECIDER_VERSION * SITES + min(int(changes) + count_changes(connection), SITES - 1)
