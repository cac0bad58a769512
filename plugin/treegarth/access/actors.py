"""What can be allowed, and who asks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from treegarth.phrases import N_


class Permission(StrEnum):
    """What an actor may do. A role is a set of these; none of them includes another."""

    PUBLIC = "public"  # without a sign-in, where Orthanc itself lets the request through
    SIGNED_IN = "signed in"  # whoever has signed in: the own account, the pages' own files
    SEE_STUDIES = "see studies"
    SEE_DOSE = "see dose"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    EXPORT = "export"
    ANNOTATE = "annotate"
    SEND = "send"
    DECIDE_DOSE = "decide dose"
    RUN_RULES = "run rules"
    PRUNE = "prune"
    ERASE = "erase"
    SEE_SYSTEM = "see system"
    OPERATE = "operate"
    SEE_AUDIT = "see audit"
    ADMINISTER = "administer"


PERMISSION_WORDS: Mapping[Permission, str] = {
    Permission.SEE_STUDIES: N_("see patients, studies and images"),
    Permission.SEE_DOSE: N_("see radiation dose and its statistics"),
    Permission.UPLOAD: N_("store objects over the web"),
    Permission.DOWNLOAD: N_("download DICOM objects"),
    Permission.EXPORT: N_("export lists and figures as files"),
    Permission.ANNOTATE: N_("label studies, keep views and charts"),
    Permission.SEND: N_("send studies to destinations"),
    Permission.DECIDE_DOSE: N_("decide on doses: void, read again, names, sizes, levels, alerts"),
    Permission.RUN_RULES: N_("write, try and run rules"),
    Permission.PRUNE: N_("set retention: policies, holds, marks"),
    Permission.ERASE: N_("delete objects in Orthanc"),
    Permission.SEE_SYSTEM: N_("see how the server does"),
    Permission.OPERATE: N_("stop, resume and repeat work of the server"),
    Permission.SEE_AUDIT: N_("see who did what"),
    Permission.ADMINISTER: N_("administer: users, roles, destinations, and all of Orthanc's addresses"),
}
"""What a role can allow, in the order in which its form shows it."""
READING: Mapping[str, Permission] = {
    "archive": Permission.SEE_STUDIES,
    "dose": Permission.SEE_DOSE,
    "rules": Permission.SEE_SYSTEM,
    "deliveries": Permission.SEE_SYSTEM,
    "destinations": Permission.SEE_SYSTEM,
    "retention": Permission.SEE_SYSTEM,
    "system": Permission.SEE_SYSTEM,
    "work": Permission.SIGNED_IN,
    "views": Permission.SIGNED_IN,
    "access": Permission.ADMINISTER,
}
"""What it takes to see what stands under a tag of the API, where nothing else is said."""
WRITING: Mapping[str, Permission] = {
    "archive": Permission.ADMINISTER,
    "dose": Permission.DECIDE_DOSE,
    "rules": Permission.RUN_RULES,
    "destinations": Permission.ADMINISTER,
    "retention": Permission.PRUNE,
    "views": Permission.SIGNED_IN,
    "access": Permission.ADMINISTER,
}
"""What it takes to change the documents of a tag, where nothing else is said."""
EVERY_PERMISSION = frozenset(Permission)
OF_NOBODY = frozenset({Permission.PUBLIC})
OF_EVERYBODY = frozenset({Permission.PUBLIC, Permission.SIGNED_IN})
"""What whoever has signed in may do, whatever their roles."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something; `name` is None without a sign-in."""

    name: str | None
    permissions: frozenset[Permission]
    user_id: int | None = None  # of the user; None without a sign-in
    session_id: int | None = None  # of a browser's session
    token_id: int | None = None  # of a program's token
    roles: tuple[str, ...] = ()  # by name, in the alphabet's order

    def __str__(self) -> str:
        return self.name or "someone without a login"

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


NOBODY = Actor(name=None, permissions=OF_NOBODY)
