"""What the page of a set says of it: who published it, where it holds, its rows, and what becomes of each here."""

from __future__ import annotations

from markupsafe import Markup

from treegarth.access.actors import Permission
from treegarth.documents.store import Stored
from treegarth.features.dose.analysis.levels.form import fits
from treegarth.features.dose.analysis.levels.holding import in_order, levels_of
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.rows_csv import COLUMNS
from treegarth.features.dose.analysis.levels.sets import SETS, kept
from treegarth.features.dose.analysis.store.standard_names import names_meant
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part


def set_section(call: AnyCall, stored: Stored) -> Markup:
    one, services = kept(stored), call.services
    today = services.clock().astimezone(services.zone).date()
    with call.connect() as connection:
        levels = levels_of(one, [kept(other) for other in SETS.all(connection)], today)
        known = names_meant(connection, {(row.modality, row.standard_name) for row in one.says.rows})
    return render_part(
        call,
        "dose/level_set.html",
        set=one,
        stored=stored,
        levels=in_order(levels),
        quantities=LEVEL_QUANTITIES,
        known={key: one.name for key, one in known.items()},
        is_valid=one.says.holds_on(today),
        columns=COLUMNS,
        fits=fits(stored.document),
        may_change=call.actor.may(Permission.DECIDE_DOSE) and stored.removed_at is None,
    )
