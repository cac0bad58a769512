"""Users and how they sign in: the sign-in, one's own account, users, roles, sessions and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.documents.language import Documents
    from treegarth.web.routes import Route

__all__ = ["FEATURE"]


def _parts(house: House) -> list[object]:
    from treegarth.access.throttle import Throttle

    return [Throttle()]


def _routes() -> list[Route]:
    from treegarth.features.accounts.pages import account, own_second_step, sign_in

    return [*sign_in.routes(), *account.routes(), *own_second_step.routes()]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.accounts.roles import ROLE_DOCUMENTS

    return [ROLE_DOCUMENTS]


FEATURE = Feature(name="accounts", parts=_parts, routes=_routes, documents=_documents)
