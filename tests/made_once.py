"""What every application makes for itself and what is the same in all of them, made once in a process of tests.

There are thousands of applications in a test run, each with some seven hundred addresses, a hundred templates and an
engine that compiles its statements; a server makes one. Nothing that a test looks at differs by it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from treegarth.feature import House
from treegarth.web import templates
from treegarth.web.routes import Route


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


def _speaks_alike(one: PGDialect_psycopg, other: object) -> bool:
    """Whether statements that one has compiled are those of the other: of one driver and one PostgreSQL."""
    return type(one) is type(other) and one.server_version_info == other.server_version_info


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

    routes = House.routes
    tables: dict[tuple[int, ...], tuple[House, list[Route]]] = {}

    def routes_once(house: House) -> list[Route]:
        """They depend on the features alone, and hold nothing of a request."""
        key = tuple(map(id, house.features))
        if key not in tables:
            tables[key] = house, routes(house)  # with the house, so that no other feature gets these places
        return list(tables[key][1])

    statements: Any = LRUCache(2_000)
    of_every_engine = property(lambda engine: statements, lambda engine, own: None)

    patch = pytest.MonkeyPatch()  # for good
    patch.setattr(House, "routes", routes_once)
    patch.setattr(Engine, "_compiled_cache", of_every_engine, raising=False)
    patch.setattr(PGDialect_psycopg, "__eq__", _speaks_alike)
    patch.setattr(PGDialect_psycopg, "__hash__", lambda dialect: hash(type(dialect)))
    patch.setattr(templates, "make_environment", with_compiled)
    patch.setattr(Rule, "_compile_builder", remembered)
