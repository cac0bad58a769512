"""What is told, as an e-mail and as a webhook's request with its signature. Pure: makes messages, sends none."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from treegarth.tasks.backoff import Backoff

SIGNATURE_HEADER = "X-Treegarth-Signature"
TIMESTAMP_HEADER = "X-Treegarth-Timestamp"
ID_HEADER = "X-Treegarth-Id"
BACKOFF = Backoff(first=timedelta(seconds=10), longest=timedelta(hours=1), most_attempts=16)
"""The last is some eight hours after the first: a night without a server is survived, a wrong address is seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """Something to be told to one target."""

    id: int
    channel: str  # email or webhook
    target: str  # an address, or the webhook's name
    title: str
    content: Mapping[str, Any]
    created_at: datetime
    attempts: int  # with the one that is being made


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRequest:
    """The body of a webhook's POST and its headers."""

    body: bytes
    headers: Mapping[str, str]


def webhook_request(given: Notification, secret: str, now: datetime) -> WebhookRequest:
    """The request. Its body holds identifier and time too, so that the signature covers them.

    The identifier is the same in every attempt: a receiver that has seen it need not act again.
    """
    timestamp = str(int(now.timestamp()))
    document = {**given.content, "id": given.id, "title": given.title, "timestamp": int(timestamp)}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Treegarth",
        SIGNATURE_HEADER: signature(body, secret),
        TIMESTAMP_HEADER: timestamp,
        ID_HEADER: str(given.id),
    }
    return WebhookRequest(body=body, headers=headers)


def signature(body: bytes, secret: str) -> str:
    """`sha256=` and the hex HMAC-SHA256 of the body (RFC 2104)."""
    return f"sha256={hmac.new(secret.encode('utf-8'), body, hashlib.sha256).hexdigest()}"


def email_message(given: Notification, sender: str) -> EmailMessage:
    """The e-mail: what the content says, line by line. Its Message-ID is the same in every attempt."""
    message = EmailMessage()
    message["Subject"] = " ".join(given.title.split())
    message["From"] = Address("Treegarth", addr_spec=sender)
    message["To"] = Address(addr_spec=given.target)
    message["Date"] = format_datetime(given.created_at)
    host = sender.rpartition("@")[2]
    message["Message-ID"] = f"<treegarth-{given.id}-{int(given.created_at.timestamp())}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [
        f"{key.replace('_', ' ')}: {_line(value)}" for key, value in given.content.items() if value not in (None, "")
    ]
    message.set_content("\n".join([given.title, "", *lines, "", "-- ", "Treegarth"]) + "\n")
    return message


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())
