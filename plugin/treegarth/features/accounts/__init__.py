"""Users and how they sign in: the sign-in, one's own account, users, roles, sessions and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.documents.language import Documents
    from treegarth.web.listing import Listing
    from treegarth.web.routes import Route

__all__ = ["FEATURE"]


def _parts(house: House) -> list[object]:
    import os

    from treegarth.access.throttle import Throttle
    from treegarth.settings import SignIn

    oidc = house.settings.oidc
    if house.settings.sign_in is not SignIn.OIDC or oidc is None:
        return [Throttle()]
    from treegarth.access.provider import Provider

    secret = oidc.client_secret
    return [Throttle(), Provider(oidc, lambda: secret.resolve(os.environ) if secret else None)]


def _routes() -> list[Route]:
    from treegarth.features.accounts import api, own_api
    from treegarth.features.accounts.pages import account, own_second_step, provider, roles, sign_in, users

    return [
        *sign_in.routes(),
        *account.routes(),
        *own_second_step.routes(),
        *provider.routes(),
        *users.routes(),
        *roles.routes(),
        *api.routes(),
        *own_api.routes(),
    ]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.accounts.users import USERS

    return [USERS]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.accounts.roles import ROLE_DOCUMENTS

    return [ROLE_DOCUMENTS]


FEATURE = Feature(name="accounts", parts=_parts, routes=_routes, listings=_listings, documents=_documents)
