"""What can be done with many rows of a list at once: a feature offers it, for the lists of others as for its own.

A list whose rows can be chosen has a box before each, and above the table what can be done with those that are ticked.
`POST {path}/act` takes them from the page, `POST {api_path}/act` from programs; both say with how many it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field
from pydantic.fields import FieldInfo
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.described import docstrings_of
from treegarth.phrases import Phrase
from treegarth.record import Record
from treegarth.web.access import check_permission
from treegarth.web.call import Asker, Call
from treegarth.web.filters import Filter
from treegarth.web.lists import LARGEST_LIMIT
from treegarth.web.routes import Answer, LongIdentifier, Parameters, Text, make_model
from treegarth.web.told import Counted, Sentence
from treegarth.web.validation import validated

Given: TypeAlias = Annotated[Text, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
"""As a form sends it; a program may send a number."""
Act: TypeAlias = Callable[[Asker, Connection, Sequence[Any], Any], int]
"""Of who asks, his transaction, the keys of rows without repetition, and what was `given`: with how many rows it was
done. The others are left as they are."""


class NothingGiven(Parameters):
    """Of an action that needs no more than the rows."""


class Acted(Answer):
    """What became of the chosen rows."""

    done: int
    """With how many it was done."""
    left: int
    """How many were left as they are: gone meanwhile, or nothing was to be done with them."""


@dataclass(frozen=True, kw_only=True)
class RowAction:
    """An action for many rows."""

    name: str  # in addresses and in the API: "send"
    lists: Sequence[str]  # the names of those whose rows it takes
    label: str  # a msgid: what the button says
    icon: str
    done: tuple[str, str]  # NN_("%(num)s study is being sent", …)
    left: tuple[str, str]  # NN_("%(num)s was left as it is: …", …)
    act: Act
    given: type[Parameters] = NothingGiven
    inputs: Sequence[Filter] = ()  # of the fields of `given`; one with choices has the first of them at the beginning
    warning: str = ""  # a msgid: what stands before the button of an action that is asked for twice
    after: str = ""  # a msgid: what follows from it
    permission: Permission
    takes_all: bool = True  # also every row that the filters leave, in blocks

    def said(self, acted: Acted) -> list[Sentence]:
        """What is told of it afterwards."""
        counts = ((self.done, acted.done), (self.left, acted.left))
        told: list[Sentence] = [Counted(forms=forms, count=count) for forms, count in counts if count]
        return [*told, *([Phrase(self.after)] if self.after and acted.done else [])]


@dataclass(frozen=True, kw_only=True)
class RowActions:
    """Those of all features: what a page asks for the ones of its list."""

    every: Sequence[RowAction]

    def of(self, name: str) -> list[RowAction]:
        """Those for the rows of the list of this name."""
        return [one for one in self.every if name in one.lists]


def body_of(record: type[Record], key: str, actions: Sequence[RowAction]) -> type[BaseModel]:
    """What is sent to act on rows that are chosen by this field of theirs."""
    kind: Any = LongIdentifier if record.model_fields[key].annotation is int else Text
    names: Any = Literal[tuple(one.name for one in actions)]
    chosen: Any = Annotated[list[kind], Field(min_length=1, max_length=LARGEST_LIMIT)]
    said = ", ".join(f"`{one.name}`" for one in actions)
    given: dict[str, Any] = {
        name: (Given, FieldInfo(default="", description=f"For `{one.name}`: {docstrings_of(one.given)[name]}"))
        for one in actions
        for name in one.given.model_fields
    }
    return make_model(
        f"{record.__name__}Act",
        Parameters,
        doc="What to do, and with which rows.",
        action=(names, FieldInfo(description=f"One of {said}.")),
        chosen=(chosen, FieldInfo(description=f"The rows, by `{key}`.")),
        **given,
    )


def action_of(actions: Sequence[RowAction], body: Any) -> RowAction:
    """The one that a body names."""
    return next(one for one in actions if one.name == body.action)


def said_of(action: RowAction, body: Any) -> dict[str, str]:
    """What a body says for it."""
    said = {name: str(getattr(body, name)).strip() for name in action.given.model_fields}
    return {name: text for name, text in said.items() if text}


def act(actions: Sequence[RowAction], call: Call[Any, Any, None]) -> Acted:
    """Do what the body says, in one transaction."""
    action = action_of(actions, call.body)
    check_permission(call.actor, action.permission)
    given = validated(action.given, said_of(action, call.body))
    keys = sorted(set(call.body.chosen))  # in one order: two who do this at the same time wait for each other
    with call.begin() as connection:
        done = action.act(call.asker, connection, keys, given)
    return Acted(done=done, left=len(keys) - done)
