"""Whatever is changed or begun by a request carries who asked: every handler that changes something knows its actor.

What follows in a worker is kept with `by`, `asked_by` and their like: no caller says nobody, but where the server
begins something by itself.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

from pydantic import BaseModel

from tests.unit.web.test_who_may_what import routes
from treegarth.web.routes import Route

PLUGIN = Path(__file__).resolve().parents[3] / "plugin" / "treegarth"
ASKS_WHO = frozenset({"actor", "author_of"})
_TRIES, _REPEATS = "changes nothing", "what is repeated was asked for before, and keeps who did"
_AUDITED = "the audit trail alone tells who changes a user"
KEEP_NOBODY = {
    "accounts.rename_user_page": _AUDITED,
    "accounts.set_roles_page": _AUDITED,
    "accounts.take_off_second_step_page": _AUDITED,
    "api.set_access_user_name": _AUDITED,
    "api.set_access_user_roles": _AUDITED,
    "api.take_off_access_user_second_step": _AUDITED,
    "api.preview_dose_alert_level": _TRIES,
    "api.preview_rule_document": _TRIES,
    "api.preview_standard_name": _TRIES,
    "api.try_retention_policy": _TRIES,
    "api.echo_destination": _TRIES,
    "deliveries.echo_page": _TRIES,
    "api.dose_discard_sizes": "a file that was read and never applied goes",
    "api.retry_dose_report": _REPEATS,
    "api.retry_dose_reports": _REPEATS,
    "api.retry_dose_ssde": _REPEATS,
    "api.retry_rule_event": _REPEATS,
    "api.retry_rule_events": _REPEATS,
    "deliveries.again_page": _REPEATS,
    "dose.retry_all_page": _REPEATS,
    "dose.retry_page": _REPEATS,
    "dose.ssde_retry_page": _REPEATS,
    "system.retry_task": _REPEATS,
}
"""Routes that are no GET and keep nowhere who asked, each with the reason."""
BY_ITSELF = {
    "features/accounts/by_provider.py": "the provider's word at a sign-in",
    "features/archive/ingest/mender.py": "the index mends itself",
    "features/archive/ingest/reconciler.py": "the index compares itself",
    "features/rules/tasks.py": "a rule's schedule",
    "work/runner.py": "a kind of work that begins by the clock",
}
"""Where nobody asked."""
OF_WHOM = frozenset(
    {"by", "asked_by", "set_by", "released_by", "rescued_by", "marked_by", "changed_by", "saved_by", "stopped_by"}
)


def _names(code: CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names) | set(code.co_freevars) | {name for one in inner for name in _names(one)}


def _function(value: Any) -> FunctionType | None:
    while isinstance(value, partial):
        value = value.func
    value = inspect.unwrap(value) if callable(value) else value
    value = value.__func__ if isinstance(value, MethodType) else value
    is_own = isinstance(value, FunctionType) and value.__module__.startswith("treegarth")
    return value if is_own else None


def knows_who_asks(handler: Any, seen: set[FunctionType]) -> bool:
    """Whether it, or what it calls, looks at the actor."""
    function = _function(handler)
    if function is None or function in seen:
        return False
    seen.add(function)
    names = _names(function.__code__)
    if names & ASKS_WHO:
        return True
    known = [one.cell_contents for one in function.__closure__ or ()]
    known += [function.__globals__[name] for name in names if name in function.__globals__]
    owner = getattr(handler, "__self__", None)
    known += [owner, *(getattr(owner, name, None) for name in names)]
    methods = [getattr(one, name, None) for one in known if _is_own(one) for name in names]
    return any(knows_who_asks(one, seen) for one in [*known, *methods])


def _is_own(value: Any) -> bool:
    return getattr(type(value), "__module__", "").startswith("treegarth") and not isinstance(value, BaseModel)


def changing() -> list[Route]:
    return [one for one in routes() if one.method != "GET"]


def test_every_route_that_changes_something_knows_who_asks() -> None:
    assert len(changing()) > 100
    unknown = {one.name for one in changing() if not knows_who_asks(one.handler, set())}
    assert unknown == KEEP_NOBODY.keys()


def _said(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (one.value for one in node.keywords if one.arg in OF_WHOM)


def test_nobody_is_said_to_have_asked_only_where_the_server_began_by_itself() -> None:
    nobody = set()
    for path in sorted(PLUGIN.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(one, ast.Constant) and one.value is None for one in _said(tree)):
            nobody.add(path.relative_to(PLUGIN).as_posix())
    assert nobody == BY_ITSELF.keys()
