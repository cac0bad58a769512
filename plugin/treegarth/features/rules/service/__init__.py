"""What the rules feature does, one verb a function: keep rules, try them, apply them, handle what happened.

`editor`: who changes rules; `yaml_import`: YAML texts; `trial`: before a rule acts; `application`: to the archive as it
is; `event_handler`: what happened; `book`: rules as they act.
"""

from treegarth.features.rules.service.application import apply_by_hand
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.service.editor import (
    Author,
    create_rule,
    edit_rule,
    move_rule,
    present_rule,
    problems_with,
    remove_rule,
    switch_rule,
)
from treegarth.features.rules.service.event_handler import handle_waiting
from treegarth.features.rules.service.trial import (
    Explained,
    ForeseenAction,
    Preview,
    explain_rule,
    preview_condition,
    preview_rule,
)
from treegarth.features.rules.service.yaml_import import export_rules, import_rules

__all__ = [
    "ActingRule",
    "Author",
    "Explained",
    "ForeseenAction",
    "Preview",
    "RuleBook",
    "apply_by_hand",
    "create_rule",
    "edit_rule",
    "explain_rule",
    "export_rules",
    "handle_waiting",
    "import_rules",
    "move_rule",
    "present_rule",
    "preview_condition",
    "preview_rule",
    "problems_with",
    "remove_rule",
    "switch_rule",
]
