"""What stands in an address for users, their sessions and tokens."""

from __future__ import annotations

from treegarth.web.routes import Identifier, LongIdentifier, Parameters


class UserPath(Parameters):
    user_id: Identifier
    """The user's number."""


class SessionPath(Parameters):
    session_id: LongIdentifier
    """The session's number."""


class TokenPath(Parameters):
    token_id: Identifier
    """The token's number."""


class UserSessionPath(UserPath, SessionPath):
    """A session of a user."""


class UserTokenPath(UserPath, TokenPath):
    """A token of a user."""
