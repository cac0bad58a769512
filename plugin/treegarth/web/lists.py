"""What the queries of all lists have in common: the page, and days in ISO form."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from treegarth.web.routes import Parameters, Text

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 1000


def _iso_form(value: Any) -> Any:
    """pydantic alone would also read 20261120 as a number of seconds."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("must be a date like 2026-11-20")
    return value


Day = Annotated[date, BeforeValidator(_iso_form)]


class PageQuery(Parameters):
    """Which page of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT)
    """How many at most."""
    cursor: Text | None = None
    """`next` of the page before; the first page without."""


def check_days_in_order(first: date | None, last: date | None) -> None:
    """Raises ValueError, which pydantic tells the caller."""
    if first and last and first > last:
        raise ValueError("study_date_from must not be later than study_date_to")
