"""How an endpoint of rules is made."""

from __future__ import annotations

from functools import partial

from treegarth.web.endpoints import endpoint

rule_route = partial(endpoint, tag="rules")
