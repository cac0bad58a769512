"""The one registry of what rules can do. Knows no action: `assembly.actions()` makes it of what the features offer.

How an action is added is told in `treegarth.conditions.action`, where the base class stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from treegarth.conditions.action import Action, Occasion, Problem

__all__ = ["Action", "Actions", "AnyAction", "Occasion", "Problem"]

AnyAction: TypeAlias = Action[Any]


class Actions:
    """Actions by name, in the order in which the form offers them."""

    def __init__(self, actions: Iterable[AnyAction]) -> None:
        self._by_name: dict[str, AnyAction] = {}
        for action in actions:
            if action.name in self._by_name:
                raise ValueError(f"two actions are named {action.name}")
            self._by_name[action.name] = action

    def __iter__(self) -> Iterator[AnyAction]:
        return iter(self._by_name.values())

    def get(self, name: str) -> AnyAction | None:
        return self._by_name.get(name)

    @property
    def names(self) -> list[str]:
        return list(self._by_name)
