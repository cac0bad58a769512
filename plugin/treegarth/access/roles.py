"""The roles that a new site begins with. Its administrators edit them; no code asks for a role by its name but for the
administrator's, of which there is always one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from treegarth.access.actors import PERMISSION_WORDS, Permission

ADMINISTRATOR = "administrator"
_READS = (Permission.SEE_STUDIES, Permission.SEE_DOSE)
BUILT_IN: Mapping[str, tuple[Permission, ...]] = {
    ADMINISTRATOR: tuple(PERMISSION_WORDS),
    "physicist": (
        *_READS,
        Permission.DOWNLOAD,
        Permission.EXPORT,
        Permission.ANNOTATE,
        Permission.SEND,
        Permission.DECIDE_DOSE,
        Permission.SEE_SYSTEM,
    ),
    "radiographer": (*_READS, Permission.UPLOAD, Permission.ANNOTATE, Permission.SEND),
    "physician": (*_READS, Permission.DOWNLOAD, Permission.ANNOTATE),
    "nurse": (Permission.SEE_STUDIES,),
    "researcher": (*_READS, Permission.DOWNLOAD, Permission.EXPORT, Permission.ANNOTATE),
    "external": (Permission.SEE_STUDIES,),
    "service": (Permission.SEE_STUDIES, Permission.UPLOAD, Permission.DOWNLOAD),
}
"""By name, in the order of the list."""
