"""One's own authenticator app: set it up, get new recovery codes, take it off. Each asks for the password once more, so
that a browser left open is not enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.access.one_time_codes import (
    address_of,
    fitting_step,
    new_key,
    new_recovery_codes,
    picture_of,
    plain_recovery_code,
)
from treegarth.access.passwords import MOST_LENGTH
from treegarth.access.second_step_store import (
    begin_app,
    confirm_app,
    read_second_step,
    replace_recovery_codes,
    take_off_second_step,
    unconfirmed_key,
)
from treegarth.access.secrets import digest_of
from treegarth.access.store import password_of
from treegarth.access.throttle import Throttle
from treegarth.errors import NotFound
from treegarth.features.accounts.pages.account import own_number
from treegarth.features.accounts.pages.sign_in import LONGEST_CODE
from treegarth.folding import fold
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import AnyText, Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

PAGE = "accounts.second_step_page"
_PATH = "/treegarth/account/second-step"
_GROUP = 4


class PasswordOnce(Parameters):
    """Once more, for what a browser left open must not do."""

    password: Annotated[AnyText, Field(max_length=MOST_LENGTH)]


class FirstCode(Parameters):
    """What the app shows after it took the key in."""

    code: Annotated[AnyText, Field(max_length=LONGEST_CODE)]


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path=_PATH,
            permission=Permission.SIGNED_IN,
            handler=page,
            summary="One's own authenticator app.",
        ),
        route(
            name="accounts.begin_second_step",
            path=_PATH,
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=start,
            summary="Make a key for an authenticator app.",
        ),
        route(
            name="accounts.confirm_second_step",
            path=f"{_PATH}/confirm",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=confirm,
            summary="Show that the app has the key; from then on the sign-in asks for its codes.",
        ),
        route(
            name="accounts.new_recovery_codes",
            path=f"{_PATH}/recovery-codes",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=renew,
            summary="New recovery codes in place of those from before.",
        ),
        route(
            name="accounts.end_second_step",
            path=f"{_PATH}/off",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=end,
            summary="Sign in by the password alone again.",
        ),
    ]


def page(call: Call[None, None, None]) -> Response:
    return _page(call)


def start(call: Call[None, PasswordOnce, None]) -> Response:
    if wrong := _wrong_password(call, call.body.password):
        return _page(call, wrong)
    with call.begin() as connection:
        begin_app(connection, own_number(call), new_key(), call.services.clock())
    return see_other(call, call.site.url(PAGE))


def confirm(call: Call[None, FirstCode, None]) -> Response:
    number, now = own_number(call), call.services.clock()
    with call.connect() as connection:
        key = unconfirmed_key(connection, number, now)
    if key is None:
        return _begin_again(call)
    step = fitting_step(key, call.body.code, now, last_step=0)
    if step is None:
        return _page(call, P_("The code does not fit. Is the clock of the phone right?"))
    codes = new_recovery_codes()
    with call.begin() as connection:
        is_done = confirm_app(connection, number, step, now, _digests(codes))
    return _codes_page(call, codes) if is_done else _begin_again(call)


def renew(call: Call[None, PasswordOnce, None]) -> Response:
    number = own_number(call)
    if wrong := _wrong_password(call, call.body.password):
        return _page(call, wrong)
    codes = new_recovery_codes()
    with call.begin() as connection:
        if not read_second_step(connection, number).is_on:
            raise NotFound(N_("No authenticator app is set up."))
        replace_recovery_codes(connection, number, _digests(codes))
    return _codes_page(call, codes)


def end(call: Call[None, PasswordOnce, None]) -> Response:
    number = own_number(call)
    if wrong := _wrong_password(call, call.body.password):
        return _page(call, wrong)
    with call.begin() as connection:
        take_off_second_step(connection, number)
    return see_other(call, call.site.url(PAGE), P_("The sign-in asks for the password alone."))


def _page(call: AnyCall, wrong: Phrase | None = None) -> Response:
    number = own_number(call)
    with call.connect() as connection:
        has_password = password_of(connection, call.actor.name or "") is not None
        state = read_second_step(connection, number)
        key = unconfirmed_key(connection, number, call.services.clock())
    address = address_of(key, call.actor.name or "", f"Treegarth {call.services.site_name}") if key else None
    return render_page(
        call,
        "accounts/second_step.html",
        status=400 if wrong else 200,
        wrong=wrong,
        has_password=has_password,
        state=state,
        address=address,
        picture=picture_of(address) if address else None,
        key_in_groups=" ".join(key[at : at + _GROUP] for at in range(0, len(key), _GROUP)) if key else None,
    )


def _begin_again(call: AnyCall) -> Response:
    return see_other(call, call.site.url(PAGE), P_("No key waits for a code. Begin again."), kind="attention")


def _codes_page(call: AnyCall, codes: Sequence[str]) -> Response:
    """The only time that they are shown."""
    return render_page(call, "accounts/recovery_codes.html", codes=codes)


def _digests(codes: Sequence[str]) -> list[bytes]:
    return [digest_of(plain_recovery_code(one)) for one in codes]


def _wrong_password(call: AnyCall, password: str) -> Phrase | None:
    """What is wrong with it; each wrong one slows the next down."""
    name, services, throttle = call.actor.name or "", call.services, call.part(Throttle)
    place, now = f"session {call.actor.session_id}", services.clock()
    if wait := throttle.wait(fold(name), place, now):
        return P_(
            "Too many wrong passwords. The next try is possible in %(count)s s.", count=int(wait.total_seconds()) + 1
        )
    with call.connect() as connection:
        found = password_of(connection, name)
    if found is None or found.user_id != own_number(call):
        raise NotFound(N_("Only who signs in with a password has a second step here."))
    if services.passwords.fits(password, found.password_hash):
        throttle.note_right(fold(name), place)
        return None
    throttle.note_wrong(fold(name), place, now)
    return P_("The password is not right.")
