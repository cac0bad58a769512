"""Where what Treegarth answers lies, and how a value becomes part of an address. Pure: also for who serves nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

BASE_PATH = "/treegarth"
API_PATH = f"{BASE_PATH}/api/v1"
STUDY_PATH = f"{BASE_PATH}/studies/{{study_instance_uid}}"  # the page that mails and webhooks lead to

PART = re.compile(r"{(\w+)(:path)?}")
"""Of a path that is written as in OpenAPI: its name, and whether it takes slashes."""
UTF8 = (
    r"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    r"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*"
)
"""The bytes of a text (RFC 3629 4), for the pattern of a REST callback: what does not match Orthanc answers with
404. Of other bytes orthanc-python makes no Python string, and answers 500 before anything here is asked."""


def filled(path: str, values: Mapping[str, object]) -> str:
    """The path of an address: a route's path with its parts. Raises KeyError for a part that is not given."""

    def part(found: re.Match[str]) -> str:
        value = str(values[found[1]])
        return quote(value, safe="/") if found[2] else quote(escaped(value), safe="")

    return PART.sub(part, path)


def escaped(value: str) -> str:
    """A value for one part of a path, with / and \\ as %2F and %5C, which are quoted once more in the address.

    Orthanc's HTTP server unquotes an address before it looks for separators, takes a backslash for one, and takes parts
    that are . or .. as steps. A UID of a damaged object may be or hold any of these.
    """
    if value in (".", ".."):
        return value.replace(".", "%2E")
    return value.replace("%", "%25").replace("/", "%2F").replace("\\", "%5C")


def unescaped(part: str) -> str:
    """The value of `escaped`; one that was not escaped and holds none of these stays as it is."""
    return part.replace("%2E", ".").replace("%2F", "/").replace("%5C", "\\").replace("%25", "%")


def is_api_path(path: str) -> bool:
    """Whether errors there are problem+json instead of a page."""
    return path == API_PATH or path.startswith(f"{API_PATH}/")
