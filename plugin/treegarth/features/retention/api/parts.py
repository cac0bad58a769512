"""What the endpoints of retention have in common."""

from __future__ import annotations

from functools import partial

from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Identifier, Parameters

__all__ = ["Listed", "PolicyPath", "retention_route"]

TAG = "retention"


class PolicyPath(Parameters):
    policy_id: Identifier
    """The policy's number."""


retention_route = partial(endpoint, tag=TAG, under=f"{API_PATH}/retention")
