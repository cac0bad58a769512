"""Codes of an authenticator app (TOTP, RFC 6238) and the recovery codes that stand in for a lost one. Pure but for the
dice.

The app's codes have six digits of HMAC-SHA-1 and change each 30 s: what every app knows. The secret has 160 bits, as
RFC 4226 (section 4, R6) recommends.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from datetime import datetime
from hmac import compare_digest
from unicodedata import normalize

from pyotp import HOTP, TOTP, random_base32
from segno import make_qr

STEP_S = 30
STEPS_OFF = 1
"""How many steps a clock may be off (RFC 6238, 5.2: one for the network's delay, 6: more for drift)."""
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_GROUP = 4


def new_key() -> str:
    """The secret that the app and we share, in Base32."""
    return random_base32()


def address_of(key: str, user_name: str, site_name: str) -> str:
    """What the QR code says: `otpauth://totp/...`, as apps read it."""
    return TOTP(key).provisioning_uri(name=user_name, issuer_name=site_name)


def picture_of(address: str) -> str:
    """The QR code as SVG to stand in a page, dark on white in every theme: what scans it needs that."""
    return make_qr(address, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="qr-code")


def fitting_step(key: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step whose code this is; None where it is of none near `now`, or of one that was used, or before it: no
    code counts twice (RFC 6238, 5.2)."""
    typed = _plain(code)
    present = int(now.timestamp()) // STEP_S
    app = HOTP(key)
    fitting = None
    for step in range(present - STEPS_OFF, present + STEPS_OFF + 1):
        if compare_digest(app.at(step).encode(), typed.encode()) and step > last_step:
            fitting = step
    return fitting


def new_recovery_codes() -> list[str]:
    """80 bits each, in groups to be read and typed."""
    return [_grouped(b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODES)]


def is_recovery_code(code: str) -> bool:
    """Whether this is written as one, so that it is none of an app's."""
    return len(_plain(code)) == _RECOVERY_BYTES * 8 // 5


def plain_recovery_code(code: str) -> str:
    """As it is kept, however it was typed: what its digest is made of."""
    return _plain(code)


def _grouped(code: str) -> str:
    return "-".join(code[begin : begin + _GROUP] for begin in range(0, len(code), _GROUP)).lower()


def _plain(code: str) -> str:
    """Without blanks and dashes, in capitals; full-width digits, which Korean and Japanese keyboards write, are plain
    ones."""
    return "".join(letter for letter in normalize("NFKC", code).upper() if letter.isalnum())
