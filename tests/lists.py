"""The lists of the house, as its route table has them: one that a feature adds is among them."""

from __future__ import annotations

from typing import Any

from tests.full_lists import PLACE
from treegarth.feature import House
from treegarth.web.listing import Listing
from treegarth.web.paths import PART


def lists_of(house: House) -> list[Listing[Any, Any]]:
    """Each once, in the order of the table."""
    owners = [getattr(route.handler, "__self__", None) for route in house.routes()]
    return list({id(one): one for one in owners if isinstance(one, Listing)}.values())


def address(path: str) -> str:
    """The path of a list, with the parts of one that has rows in the database of `tests.full_lists`."""
    return PART.sub(lambda part: PLACE[part[1]], path)
