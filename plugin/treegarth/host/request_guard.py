"""Tell Orthanc's guard of requests (`plugin/orthanc_guard.lua`) what the settings allow.

Orthanc asks its Lua filter before the routes of any plugin, and Lua shares no more with us than the process. Orthanc
reads its Lua scripts after its plugins: what stands in the environment by then is what the guard goes by.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping

from treegarth.reach import Reach, origin_of
from treegarth.settings import Settings
from treegarth.web.access import known_hosts
from treegarth.web.own_port import own_paths

_TOLD = "TREEGARTH_GUARD"


def tell_guard(environment: MutableMapping[str, str], settings: Settings, reach: Reach, *, scripts_serve: bool) -> None:
    """`scripts_serve`: a site's scripts have routes, which judge nothing themselves and may lie anywhere."""
    hosts = known_hosts(settings, reach)
    told = {
        "AllowedOrigins": sorted(reach.allowed_origins),
        "PublicOrigin": origin_of(reach.public_url or ""),
        "Hosts": sorted(hosts or ()),
        "AnyHost": hosts is None,
        "OwnPaths": own_paths(reach),
        "ScriptsServe": scripts_serve,
    }
    environment[_TOLD] = json.dumps(told)
