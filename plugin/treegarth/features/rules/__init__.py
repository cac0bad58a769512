"""Rules: a condition, a trigger, actions; tried before they act, kept with their history, handled once an event."""

from treegarth.features.rules.actions import Actions
from treegarth.features.rules.following import follow_dose_read, follow_stable, follow_studies_left
from treegarth.features.rules.labelling import LabelAction
from treegarth.features.rules.notifying import NotifyAction
from treegarth.features.rules.service import RuleBook
from treegarth.features.rules.tasks import HANDLE, blueprint
from treegarth.features.rules.telling import Teller, telling_blueprint
from treegarth.features.rules.text import Language

__all__ = [
    "HANDLE",
    "Actions",
    "LabelAction",
    "Language",
    "NotifyAction",
    "RuleBook",
    "Teller",
    "blueprint",
    "follow_dose_read",
    "follow_stable",
    "follow_studies_left",
    "telling_blueprint",
]
