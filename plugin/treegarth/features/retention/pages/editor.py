"""The form of a policy: its text, with examples to start from, what is wrong at its line, and a look ahead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from flask import Response

from treegarth.documents.differences import Newer, as_text, newer_than, version_of
from treegarth.documents.pages import Wrong, one_document, wrong_in
from treegarth.documents.store import EditedMeanwhile
from treegarth.errors import InvalidRequest, RequestConflict
from treegarth.features.retention import service
from treegarth.features.retention.pages.preview import ShownPreview, look_ahead
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.policies import POLICY_DOCUMENTS
from treegarth.features.retention.policy_text import KEYS
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store.policies import POLICIES
from treegarth.phrases import N_, Phrase
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave

_INDEX = re.compile("[0-9]{1,4}")
Example = Literal["dose", "age", "space"]
EXAMPLES: dict[Example, tuple[str, str, str]] = {
    "dose": (
        N_("Dose and one image per series"),
        N_("the rest goes 90 days after it was received, once it is proved to be in the long-term archive"),
        """name: old CT images
why: the long-term archive keeps them; here the dose and one image of each series are enough
if:
  all:
    - "Modality = CT"
keep: dose and one image per series
after: 90 days since received
proof: {at: LONGTERM, within: 1 day}
grace: 7 days
hours: 22:00-06:00
""",
    ),
    "age": (
        N_("By age alone"),
        N_("everything of a study goes ten years after its date, once it is proved to be in the long-term archive"),
        """name: ten years
why: the law asks for ten years; the long-term archive keeps them longer
keep: nothing
after: 10 years since study date
proof: {at: LONGTERM, within: 1 day}
grace: 30 days
""",
    ),
    "space": (
        N_("Free space between two marks"),
        N_("above the high mark the least used go, until the low one is reached"),
        """name: free space
why: the disk has 1 TB
keep: dose and one image per series
space: {high: 800 GB, low: 700 GB}
proof: {at: LONGTERM, within: 1 day}
minimum age: 30 days
grace: 1 day
""",
    ),
}
HELP = {
    "name": N_("what it is called, and the sentence that says why (`why`)"),
    "if": N_("which studies, in the language of conditions; without: every study"),
    "keep": N_("`nothing`, `dose and one image per series`, `{series: condition}` or `{instance: condition}` stays"),
    "after": N_("an age: `90 days since received`, `2 years since study date`, `1 year since last use`"),
    "space": N_("`{high: 800 GB, low: 700 GB}`: the least used go, from the high mark to the low one"),
    "proof": N_("`{at: DESTINATION, within: 1 day}`, a list of these, or `none`: the only copy may go"),
    "minimum age": N_("nothing that arrived later is touched; 7 days if not given"),
    "grace": N_("how long objects stay marked, and can be rescued, before they are deleted; 7 days if not given"),
    "hours": N_("deletes only then, such as `22:00-06:00`, in the time of this site"),
    "rate": N_("objects a minute at most; 600 if not given"),
    "ask twice above": N_("a larger share of the archive is deleted only with the number typed; `10 %` if not given"),
}


class NewQuery(Parameters):
    """What the form begins with."""

    example: Example = "dose"
    """One of the examples."""


def routes() -> list[Route]:
    new, edit = "/treegarth/retention/policies/new", "/treegarth/retention/policies/{policy_id}/edit"
    write: dict[str, Any] = {"permission": Permission.ADMINISTER}
    return [
        route(
            name="retention.new_page",
            path=new,
            handler=new_page,
            summary="A new policy, from an example.",
            **write,
        ),
        route(
            name="retention.create_page",
            path=new,
            method="POST",
            handler=create_page,
            summary="See what a new policy would delete, or save it.",
            **write,
        ),
        route(
            name="retention.edit_page",
            path=edit,
            handler=edit_page,
            summary="A policy to edit.",
            **write,
        ),
        route(
            name="retention.change_page",
            path=edit,
            method="POST",
            handler=change_page,
            summary="See what the changed policy would delete, or save it.",
            **write,
        ),
    ]


def edit_page(call: Call[None, None, PolicyPath]) -> Response:
    with call.connect() as connection:
        stored = POLICIES.read(connection, call.path.policy_id)
    return _render(call, as_text(stored.document), stored.id)


def new_page(call: Call[NewQuery, None, None]) -> Response:
    return _render(call, EXAMPLES[call.query.example][2], None)


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, PolicyPath]) -> Response:
    return _posted(call, call.path.policy_id)


def _posted(call: AnyCall, policy_id: int | None) -> Response:
    language = call.part(PolicyLanguage)
    form = call.http.form
    text, act = form.get("text", "").replace("\r\n", "\n"), form.get("act", "")
    since = version_of(act.removeprefix("save over ") if act.startswith("save over ") else form.get("version", ""))
    try:
        document = one_document(text)
        if act == "look":
            policy = language.parse(document, "document")
            with call.connect() as connection:
                shown = look_ahead(call, connection, language, service.unsaved(policy))
            return _render(call, text, policy_id, shown=shown)
        saved = _save(call, document, policy_id, since)
    except EditedMeanwhile as error:
        return _render(call, text, policy_id, newer=newer_than(error))
    except (InvalidRequest, RequestConflict) as error:
        return _render(call, text, policy_id, wrong=wrong_in(call, text, error))
    return leave(call, call.site.url("retention.policy_page", policy_id=saved))


def _save(call: AnyCall, document: object, policy_id: int | None, since: int | None) -> int:
    with call.begin() as connection:
        if policy_id is None:
            return POLICY_DOCUMENTS.create(call, connection, document).id
        return POLICY_DOCUMENTS.edit(call, connection, policy_id, document, since=since).id


def _render(
    call: AnyCall,
    text: str,
    policy_id: int | None,
    *,
    wrong: Sequence[Wrong] = (),
    shown: ShownPreview | None = None,
    newer: Newer | None = None,
) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    address, leave = call.site.url("retention.create_page"), call.site.url("retention.policies_page")
    stored = None
    if policy_id is not None:
        with call.connect() as connection:
            stored = POLICIES.read(connection, policy_id)
        address = call.site.url("retention.change_page", policy_id=policy_id)
        leave = call.site.url("retention.policy_page", policy_id=policy_id)
    return render_page(
        call,
        "retention/policy_form.html",
        name=stored.name if stored else None,
        version=call.http.form.get("version", stored.version if stored else ""),
        newer=newer,
        address=address,
        leave=leave,
        is_on=stored is not None and stored.is_on,
        text=text,
        wrong=wrong,
        shown=shown,
        as_table=False,
        examples=EXAMPLES,
        chosen=getattr(call.query, "example", None),
        help=[(key, Phrase(HELP[key])) for key in KEYS if key in HELP],
    )
