"""The actions that the form knows, with their fields. Data only.

An action that stands here but not in the registry is not offered; one of the registry that does not stand here is
edited as text.
"""

from __future__ import annotations

from treegarth.features.rules.pages.action_fields import ActionKind, Input
from treegarth.phrases import N_

_OBJECTS = (
    ("all", N_("all objects")),
    ("dose objects", N_("dose objects only")),
    ("dose and one image per series", N_("dose objects and one image of each series")),
)
_PROOFS = (
    ("best", N_("the strongest that the destination has")),
    ("commitment", N_("storage commitment")),
    ("find", N_("finding it there (C-FIND, QIDO, reading back)")),
    ("status", N_("the answer of the send itself")),
)
_HOLDS = (("legal", N_("legal")), ("teaching", N_("teaching")), ("project", N_("project")))

ACTION_KINDS = (
    ActionKind(
        name="deliver",
        label=N_("Deliver to destinations"),
        shorthand="to",
        inputs=(
            Input(
                name="to",
                label=N_("Destinations"),
                kind="many",
                source="destinations",
                hint=N_("No destination yet: set one up under Deliveries first."),
            ),
            Input(name="objects", label=N_("Which objects"), kind="choice", choices=_OBJECTS),
            Input(name="proof", label=N_("What shows that they arrived"), kind="choice", choices=_PROOFS),
        ),
    ),
    ActionKind(
        name="label",
        label=N_("Label the study"),
        shorthand="add",
        inputs=(
            Input(name="add", label=N_("Put on"), kind="lines", hint=N_("one or more, divided by commas")),
            Input(name="remove", label=N_("Take off"), kind="lines", hint=N_("one or more, divided by commas")),
        ),
    ),
    ActionKind(
        name="notify",
        label=N_("Tell somebody"),
        shorthand="dashboard",
        inputs=(
            Input(name="dashboard", label=N_("on the dashboard"), kind="truth"),
            Input(name="again", label=N_("each time, not only the first time"), kind="truth"),
            Input(name="email", label=N_("By e-mail to"), kind="lines", hint="physics@example.org"),
            Input(
                name="webhook",
                label=N_("By webhook"),
                kind="many",
                source="webhooks",
                hint=N_("None is set up in the settings (Webhooks)."),
            ),
            Input(name="title", label=N_("Title"), hint=N_("the rule's name if empty")),
        ),
    ),
    ActionKind(
        name="hold",
        label=N_("Hold: forbid that it is pruned"),
        shorthand="kind",
        inputs=(
            Input(name="kind", label=N_("Kind of hold"), kind="choice", choices=_HOLDS),
            Input(name="reason", label=N_("Reason")),
            Input(name="for", label=N_("For how long"), hint=N_("5 years; without an end if empty")),
        ),
    ),
    ActionKind(
        name="release",
        label=N_("Release a hold"),
        shorthand="kind",
        is_plain=True,
        inputs=(
            Input(
                name="kind",
                label=N_("Kind of hold"),
                kind="choice",
                choices=(*_HOLDS, ("all but legal", N_("all but legal"))),
            ),
        ),
    ),
)
