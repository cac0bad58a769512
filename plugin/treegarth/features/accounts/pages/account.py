"""One's own account: the password."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.access.passwords import MOST_LENGTH, check_new_password
from treegarth.access.store import password_of, read_user, set_password
from treegarth.errors import InvalidRequest, NotFound
from treegarth.features.accounts.pages.sign_in import PAGE as SIGN_IN_PAGE
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import AnyText, Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other


class PasswordForm(Parameters):
    """The old one, and twice the new one."""

    old: Annotated[AnyText, Field(max_length=MOST_LENGTH)]
    new: Annotated[AnyText, Field(max_length=2 * MOST_LENGTH)]
    again: Annotated[AnyText, Field(max_length=2 * MOST_LENGTH)]


def routes() -> list[Route]:
    return [
        route(
            name="accounts.account_page",
            path="/treegarth/account",
            permission=Permission.SIGNED_IN,
            handler=account,
            summary="One's own account.",
        ),
        route(
            name="accounts.password_page",
            path="/treegarth/account/password",
            permission=Permission.SIGNED_IN,
            handler=password,
            summary="A form for a new password of one's own.",
        ),
        route(
            name="accounts.change_password",
            path="/treegarth/account/password",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=change,
            summary="Set a new password of one's own.",
        ),
    ]


def account(call: Call[None, None, None]) -> Response:
    with call.connect() as connection:
        return render_page(call, "accounts/account.html", user=read_user(connection, own_number(call)))


def password(call: Call[None, None, None]) -> Response:
    return _password_page(call)


def change(call: Call[None, PasswordForm, None]) -> Response:
    """Every session ends, this one too: who knows the new one signs in."""
    form, services, number = call.body, call.services, own_number(call)
    try:
        check_new_password(form.new, call.actor.name or "")
        if form.new != form.again:
            raise InvalidRequest(N_("The two new ones differ."))
    except InvalidRequest as wrong:
        return _password_page(call, wrong.sentence)
    with call.connect() as connection:
        found = password_of(connection, call.actor.name or "")
    if found is None or not services.passwords.fits(form.old, found.password_hash):
        return _password_page(call, P_("The old password is not right."))
    made = services.passwords.hashed(form.new)
    with call.begin() as connection:
        set_password(connection, number, made, services.clock(), must_change=False, by=call.actor.name)
    if services.known is not None:
        services.known.refresh()
    return see_other(call, call.site.url(SIGN_IN_PAGE), P_("The password is changed. Sign in with the new one."))


def _password_page(call: AnyCall, wrong: str | Phrase | None = None) -> Response:
    own_number(call)
    return render_page(call, "accounts/password.html", status=400 if wrong else 200, wrong=wrong)


def own_number(call: AnyCall) -> int:
    """The user's number. Raises NotFound where nobody has an account here."""
    if call.actor.user_id is None or call.actor.session_id is None:
        raise NotFound(N_("Only who has signed in by the page has an account here."))
    return call.actor.user_id
