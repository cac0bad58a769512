"""Where an object stands in a folder: a readable path of its header's values, which can never lead out. Pure.

Values come from whoever made the object, and the layout from whoever may log in, so each part of the path loses what
means something to a file system or to a program that is given names: no part begins with a full stop or a dash, and
every file ends in `.dcm`. Letters of every script stay.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from pathlib import PurePosixPath

from treegarth.dicom.headers import Header
from treegarth.features.deliveries.address_parts import LAYOUT_KEYWORDS

LONGEST_PART_BYTES = 200  # of the 255 that file systems allow: room for a temporary name and a mark
ABSENT = "unknown"
SUFFIX = ".dcm"
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f]')  # to Linux, Windows and network shares together
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # among them what turns the direction of writing
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps to itself


def path_of(header: Header, layout: str) -> PurePosixPath:
    """The relative path of an object: `{keyword}` is its value, and each part is at most 200 bytes long."""
    *folders, name = [part.strip() for part in layout.split("/") if part.strip()] or [""]
    stem = name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name
    return PurePosixPath(*(_part(folder, header) for folder in folders), _part(stem, header, SUFFIX))


def marked(path: PurePosixPath, mark: str) -> PurePosixPath:
    """The same path for another object that has the same one: with a mark before the suffix."""
    return path.with_name(f"{path.stem} {mark}{path.suffix}")


def _part(part: str, header: Header, suffix: str = "") -> str:
    """A folder's name, or with the suffix a file's. A full stop would hide it, a dash is an option to programs."""
    name = re.sub(r"{(\w+)}", lambda found: _value(header, found[1]), part)
    stem = re.sub(r"\s+", " ", name).lstrip(" .-").rstrip(" .")  # Windows drops full stops and spaces at the end
    stem = _shortened(stem, LONGEST_PART_BYTES - len(suffix))
    if _DEVICES.fullmatch(stem):
        stem += "_"
    return (stem or ABSENT) + suffix


def _value(header: Header, keyword: str) -> str:
    """A value as a person reads it, without what a path could mean by it; empty where it is absent."""
    value = getattr(header, LAYOUT_KEYWORDS[keyword])
    if value is None:
        return ""
    if isinstance(value, date):
        text = value.isoformat().replace("-", "")  # strftime writes the year 987 with three digits
    elif isinstance(value, time):
        text = value.strftime("%H%M%S")
    else:
        text = str(value)
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    text = "".join(letter for letter in text if unicodedata.category(letter) not in _INVISIBLE)
    return _FORBIDDEN.sub("_", text)


def _shortened(text: str, most_bytes: int) -> str:
    """The beginning that fits, without half a character."""
    return text.encode("utf-8")[:most_bytes].decode("utf-8", "ignore").rstrip(" .")
