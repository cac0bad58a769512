"""What the pages of rules call things."""

from __future__ import annotations

from treegarth.phrases import N_

TRIGGERS = (
    ("study stable", N_("Study complete"), N_("nothing of it arrived for a while")),
    ("series stable", N_("Series complete"), N_("the same, for each series alone")),
    ("dose read", N_("Dose read"), N_("the last dose source of the study was read")),
    ("schedule", N_("At fixed times"), N_("looks through the whole archive")),
    ("by hand", N_("By hand only"), N_("when somebody applies it")),
)
TRIGGER_NAMES = {value: name for value, name, _ in TRIGGERS}
