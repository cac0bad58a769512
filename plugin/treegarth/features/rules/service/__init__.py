"""What the rules feature does, one verb a function: keep rules, try them, apply them, handle what happened.

`editor`: who writes rules, also as YAML texts; `trial`: before a rule acts; `application`: to the archive as it is;
`event_handler`: what happened; `book`: rules as they act.
"""

from treegarth.features.rules.service.application import apply_by_hand
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.service.editor import export_rules, import_rules, problems_with, save_rule
from treegarth.features.rules.service.event_handler import handle_waiting
from treegarth.features.rules.service.trial import (
    Explained,
    ForeseenAction,
    Preview,
    explain_rule,
    preview_condition,
    preview_rule,
)

__all__ = [
    "ActingRule",
    "Explained",
    "ForeseenAction",
    "Preview",
    "RuleBook",
    "apply_by_hand",
    "explain_rule",
    "export_rules",
    "handle_waiting",
    "import_rules",
    "preview_condition",
    "preview_rule",
    "problems_with",
    "save_rule",
]
