"""What the endpoints of retention have in common."""

from __future__ import annotations

from functools import partial

from treegarth.features.retention.paths import PolicyPath
from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.paths import API_PATH

__all__ = ["Listed", "PolicyPath", "retention_route"]

TAG = "retention"


retention_route = partial(endpoint, tag=TAG, under=f"{API_PATH}/retention")
