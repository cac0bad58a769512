"""What every application makes for itself and what is the same in all of them, made once in a process of tests.

There are thousands of applications in a test run, each with some seven hundred addresses and a hundred templates; a
server makes one. Nothing that a test looks at differs by it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from treegarth.web import templates


class Compiled(BytecodeCache):
    """Templates as Python's code, by their source."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        known = self._known.get((bucket.key, bucket.checksum))
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


compiled = cache(lambda language, zone: Compiled())
"""Apart for each language and zone: what a template says of a constant is worked out as it is compiled."""


def make_once() -> None:
    """From here on, in this process."""
    make_environment, compile_builder = templates.make_environment, Rule._compile_builder

    def with_compiled(web_directory: Any, language: Any, zone: Any, *others: Any) -> Environment:
        environment = make_environment(web_directory, language, zone, *others)
        environment.bytecode_cache = compiled(str(language.locale), str(zone))
        return environment

    builders: dict[Any, Callable[..., tuple[str, str]]] = {}

    def remembered(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = rule.rule, rule.subdomain, append_unknown
        if key not in builders:
            builders[key] = compile_builder(rule, append_unknown)  # takes the rule as its first argument
        return builders[key]

    patch = pytest.MonkeyPatch()  # for good
    patch.setattr(templates, "make_environment", with_compiled)
    patch.setattr(Rule, "_compile_builder", remembered)
