"""Tell what waits to be told: by e-mail and by webhook, each tried again until it is taken or given up.

A notification can be told twice where a worker dies between the telling and its note; its identifier is the same then.
"""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import requests
from procrastinate import Blueprint
from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.errors import SettingsRefused, TreegarthError
from treegarth.features.rules.messages import BACKOFF, Notification, email_message, webhook_request
from treegarth.features.rules.store.notification_queue import claim_notification, note_not_told, note_told
from treegarth.index.studies import StudyKey, told_apart
from treegarth.outgoing.connections import GuardedAdapter
from treegarth.phrases import P_
from treegarth.reach import reach_of
from treegarth.settings import Mail, MailSecurity, Settings
from treegarth.tasks.app import TaskContext
from treegarth.web.paths import STUDY_PATH, filled

TIMEOUT_S = 15.0  # a target that hangs must not hold up the others for long
BATCH = 100
OF_THE_HOUSE = ("about", "path")
"""What of a notice is said to nobody: by what it is settled, and the page that its link leads to."""

logger = logging.getLogger(__name__)


class NotTold(TreegarthError):
    """The target did not take the notification."""


class Notifier:
    """The ways out of the house, as the site has set them."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self._mail = settings.mail
        self._reach = reach_of(settings.public_url, settings.allowed_origins, {})
        self._webhooks = {one.name: one for one in settings.webhooks}
        self._places = settings.destination_places
        self._environment = environment

    def tell(self, given: Notification, now: datetime, which: str | None = None) -> None:
        """`which` is Orthanc's identifier of the study where its UID is of several. Raises NotTold, with a reason that
        names no secret."""
        told = {name: value for name, value in given.content.items() if name not in OF_THE_HOUSE}
        given = replace(given, content={**told, **self._link(given, which)})
        try:
            if given.channel == "email":
                self._send_email(given)
            else:
                self._post(given, now)
        except SettingsRefused as error:
            raise NotTold(error.sentence) from error

    def _link(self, given: Notification, which: str | None) -> dict[str, str]:
        """Where whoever is told finds the page that it is about, else the study, with a login; nothing where
        `PublicUrl` is not set."""
        uid, path = given.content.get("study_instance_uid"), given.content.get("path")
        if not uid and not path:
            return {}
        url = self._reach.url(path or filled(STUDY_PATH, {"study_instance_uid": uid}))
        query = f"?{urlencode({'orthanc_study_id': which})}" if which and not path else ""
        return {"url": f"{url}{query}"} if url else {}

    def _post(self, given: Notification, now: datetime) -> None:
        webhook = self._webhooks.get(given.target)
        if webhook is None:
            raise NotTold(P_("no webhook of this name is set in Treegarth.Webhooks"))
        request = webhook_request(given, webhook.secret.resolve(self._environment), now)
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.mount("https://", GuardedAdapter(self._places))
                session.mount("http://", GuardedAdapter(self._places))
                answer = session.post(
                    webhook.url,
                    data=request.body,
                    headers=dict(request.headers),
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                    stream=True,  # whatever it answers at length is not read
                )
        except requests.RequestException as error:
            raise NotTold(P_("the webhook did not answer: %(kind)s", kind=type(error).__name__)) from error
        if not 200 <= answer.status_code < 300:
            raise NotTold(P_("the webhook answered %(status)s", status=answer.status_code))

    def _send_email(self, given: Notification) -> None:
        if self._mail is None:
            raise NotTold(P_("no mail server is set in Treegarth.Mail"))
        try:
            message = email_message(given, self._mail.sender)
            with _connected(self._mail) as server:
                if self._mail.user is not None and self._mail.password is not None:
                    server.login(self._mail.user, self._mail.password.resolve(self._environment))
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise NotTold(P_("the mail server answered %(status)s", status=error.smtp_code)) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(code) for code, _ in error.recipients.values())
            raise NotTold(P_("the mail server refused the recipient (%(codes)s)", codes=codes)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NotTold(
                P_("the mail server cannot do what Treegarth.Mail asks: %(error)s", error=str(error))
            ) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotTold(P_("the mail server could not be used: %(kind)s", kind=type(error).__name__)) from error


def _connected(mail: Mail) -> smtplib.SMTP:
    """A connection that is encrypted where it is to be. Its own name is not looked up: that can take a minute."""
    name = socket.gethostname() or "localhost"
    if mail.security is MailSecurity.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(mail.host, mail.port, local_hostname=name, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(mail.host, mail.port, local_hostname=name, timeout=TIMEOUT_S)
    if mail.security is MailSecurity.STARTTLS:
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def tell_waiting(
    engine: Engine,
    notifier: Notifier,
    clock: Callable[[], datetime],
    chance: Callable[[], float],
    *,
    limit: int = BATCH,
) -> int:
    """Tell what is due, at most so much; how many were tried. After a failure its target is left alone this time."""
    failed: set[tuple[str, str]] = set()
    for tried in range(limit):
        with transaction(engine) as connection:
            given = claim_notification(connection, clock(), except_targets=failed)
            if given is None:
                return tried
            which = _which(connection, given.content)
        try:
            notifier.tell(given, clock(), which)
        except NotTold as error:
            failed.add((given.channel, given.target))
            _put_off(engine, given, error.sentence, BACKOFF.next_attempt(given.attempts, clock(), chance()))
        else:
            with transaction(engine) as connection:
                note_told(connection, given.id, clock())
    return limit


def _which(connection: Connection, content: Mapping[str, Any]) -> str | None:
    """Orthanc's identifier of the study that a notification is about where the UID alone would mean several."""
    study = StudyKey(
        orthanc_study_id=content.get("orthanc_study_id") or "",
        study_instance_uid=content.get("study_instance_uid") or "",
    )
    return told_apart(connection, [study])(study)


def _put_off(engine: Engine, given: Notification, reason: str, again_at: datetime | None) -> None:
    with transaction(engine) as connection:
        note_not_told(connection, given.id, reason, again_at)
    if again_at is None:
        logger.error("Notification %d (%s) is given up: %s.", given.id, given.channel, reason)
    else:
        logger.warning(
            "Notification %d (%s) was not taken, attempt %d: %s.", given.id, given.channel, given.attempts, reason
        )


def notification_blueprint(context: TaskContext, notifier: Notifier, chance: Callable[[], float]) -> Blueprint:
    """The task that tells, of a worker with this context."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */5", periodic_id="tell")
    @tasks.task(name="rules.tell", queueing_lock="rules.tell", lock="rules.tell")
    def tell(timestamp: int) -> None:
        """Tell what waits. One at a time, so that a target that is down is asked once."""
        tell_waiting(context.engine, notifier, context.clock, chance)

    return tasks
