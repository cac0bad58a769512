"""What the endpoints of dose have in common: the base of their answers, the path of a source, how a route is made."""

from __future__ import annotations

from functools import partial
from typing import Literal

from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.routes import API_PATH, Parameters, Text

__all__ = ["Kind", "Listed", "SourcePath", "dose_route"]

TAG = "dose"
Kind = Literal["ct", "projection", "mammography", "radiopharmaceutical"]


class SourcePath(Parameters):
    orthanc_instance_id: Text
    """The object's identifier in Orthanc."""


dose_route = partial(endpoint, tag=TAG, under=f"{API_PATH}/dose")
