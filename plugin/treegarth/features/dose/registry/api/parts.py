"""What the endpoints of dose have in common: the base of their answers, the path of a source, how a route is made."""

from __future__ import annotations

from functools import partial
from typing import Literal

from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.path_models import OrthancInstancePath
from treegarth.web.paths import API_PATH

__all__ = ["Kind", "Listed", "OrthancInstancePath", "dose_route"]

TAG = "dose"
Kind = Literal["ct", "projection", "mammography", "radiopharmaceutical"]


dose_route = partial(endpoint, tag=TAG, under=f"{API_PATH}/dose")
