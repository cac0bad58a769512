"""What a destination is: its settings, and what is known of it. Pure validation: connects to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from treegarth.features.deliveries.address_parts import (
    Part,
    Text,
)
from treegarth.features.deliveries.addresses import ADDRESSES, Address, Kind
from treegarth.features.deliveries.windows import Window
from treegarth.phrases import N_
from treegarth.web.forms import Shown


class WantedProof(StrEnum):
    """What is to show that an object arrived."""

    BEST = "best"  # the strongest that the destination has
    COMMITMENT = "commitment"
    FIND = "find"
    STATUS = "status"  # that it said so when it took the object


PROOFS: Mapping[str, str] = {
    "best": N_("the strongest that the destination has"),
    "commitment": N_("storage commitment"),
    "find": N_("finding it there (C-FIND, QIDO, reading back)"),
    "status": N_("the answer of the send itself"),
}


class DestinationSettings(Part):
    """What a person sets of a destination."""

    name: Annotated[Text, Shown(N_("Name"), N_("rules refer to it"))] = Field(
        min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$"
    )
    """Its name; rules refer to it."""
    kind: Kind
    """How it takes objects."""
    address: Address
    """What its kind needs to be reached. Secrets by their place."""
    proof: Annotated[WantedProof, Shown(N_("What shows that an object arrived"), choices=PROOFS)] = WantedProof.BEST
    """What is to show that an object arrived: the best that it has, if not set."""
    alternate: Annotated[
        Text | None, Shown(N_("While it is down, send to"), choices={"": N_("nowhere: wait for it")})
    ] = Field(default=None, max_length=100)
    """The name of the destination that takes over while this one is down."""
    windows: Annotated[tuple[Window, ...] | None, Shown(N_("Hours in which it may be sent to"))] = Field(
        default=None, max_length=50
    )
    """When it may be sent to, in the site's time; always if not given."""
    max_associations: Annotated[int, Shown(N_("Sends at once"), N_("1 to 16"))] = Field(default=1, ge=1, le=16)
    """How many sends at once."""
    max_mbit_per_s: Annotated[float | None, Shown(N_("At most"), N_("as fast as it goes if empty"), unit="Mbit/s")] = (
        Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    )
    """The rate that sends may have together, in millions of bits a second; as fast as it goes if not given."""
    max_attempts: Annotated[int, Shown(N_("Give an object up after, attempts"))] = Field(default=20, ge=1, le=1000)
    """After so many an object is given up."""

    @field_validator("name", "alternate")
    @classmethod
    def _trimmed(cls, value: str | None) -> str | None:
        return value.strip() if value else value

    @field_validator("address", mode="wrap")
    @classmethod
    def _of_its_kind(cls, value: Any, handler: Any, info: ValidationInfo) -> Address:
        """By the model of its kind alone, so that a mistake is told of once and at its place."""
        if "kind" not in info.data:
            raise ValueError("cannot be checked without the kind")
        model = ADDRESSES[info.data["kind"]]
        if isinstance(value, model):
            return value
        unknown = set(value) - set(model.model_fields) if isinstance(value, Mapping) else set()
        if unknown:
            known = ", ".join(model.model_fields)
            raise ValueError(f"must not have {', '.join(sorted(map(str, unknown)))}. Known: {known}")
        return model.model_validate(value)

    @field_validator("windows")
    @classmethod
    def _no_windows_is_always(cls, value: tuple[Window, ...] | None) -> tuple[Window, ...] | None:
        return value or None

    @model_validator(mode="after")
    def _not_its_own_alternate(self) -> DestinationSettings:
        if self.alternate == self.name:
            raise ValueError("alternate must be another destination")
        return self

    def document(self) -> dict[str, Any]:
        """The settings as the history keeps them and the API shows them."""
        return self.model_dump(mode="json", exclude_none=True)


def address_document(address: Address) -> dict[str, Any]:
    """An address as it is kept and shown."""
    return address.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A destination as it is set, with what is known of it now."""

    id: int
    name: str
    kind: Kind
    address: Address
    version: int = 1  # the one that acts
    proof: WantedProof = WantedProof.BEST
    alternate: str | None = None  # the name of the destination that takes over while this one is down
    windows: tuple[Window, ...] | None = None  # None: always
    max_associations: int = 1
    max_mbit_per_s: float | None = None
    max_attempts: int = 20
    is_on: bool = True
    can_commit: bool | None = None  # None: not known yet
    can_find: bool | None = None
    down_since: datetime | None = None
    failures: int = 0  # in a row
    next_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    removed_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        """Whether a person stopped it."""
        return not self.is_on

    @property
    def state(self) -> Literal["removed", "paused", "down", "up", "unknown"]:
        """In a word. Unknown: nothing was sent yet."""
        if self.removed_at is not None:
            return "removed"
        if self.is_paused:
            return "paused"
        if self.down_since is not None:
            return "down"
        has_answered = self.last_success_at is not None or self.last_error_at is not None  # refused, else it were down
        return "up" if has_answered else "unknown"
