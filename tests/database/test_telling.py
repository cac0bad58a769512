"""Notifications leave the house once, signed or mailed; what is not taken is tried later each time, then given up."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.index_support import write_study
from tests.places import places
from tests.unit.web.web_support import NOW
from treegarth.features.rules.messages import BACKOFF
from treegarth.features.rules.notification import Notifier, tell_waiting
from treegarth.features.rules.tables import notification
from treegarth.phrases import Phrase
from treegarth.settings import Settings

SECRET = "sésame"
CONTENT = {"event": "rule matched", "rule": "선량 보고", "study_instance_uid": "1.2.3", "asked_by": None}


class Sink:
    """A webhook's receiver: what it was sent, and with which status it answers."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.requests.append((dict(self.headers), body))
                self.send_response(sink.status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Not into the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


class MailSink:
    """As much of an SMTP server (RFC 5321) as one client needs, without STARTTLS."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.refuses = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb", buffering=0) as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        stream.write(b"220 sink\r\n")
        while line := stream.readline():
            word = line[:4].upper()
            if word == b"DATA":
                stream.write(b"354 go on\r\n")
                lines: list[bytes] = []
                while (part := stream.readline()) != b".\r\n":
                    lines.append(part)
                self.messages.append(b"".join(lines))
            elif word == b"QUIT":
                stream.write(b"221 bye\r\n")
                return
            refused = word == b"RCPT" and self.refuses
            stream.write(b"550 no such user\r\n" if refused else b"250 ok\r\n")


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def mail_sink() -> Iterator[MailSink]:
    made = MailSink()
    yield made
    made.listener.close()


def notifier(*, url: str = "http://127.0.0.1:9/", port: int = 9, security: str = "none", **given: Any) -> Notifier:
    settings = {
        "PublicUrl": given.get("public_url"),
        "Webhooks": [{"Name": "ris", "Url": url, "Secret": {"Environment": "RIS_SECRET"}}],
        "DestinationPlaces": given.get("places", places()),
        "Mail": {"Host": "127.0.0.1", "Port": port, "Security": security, "From": "pacs@example.org"},
    }
    return Notifier(Settings.model_validate(settings), given.get("environment", {"RIS_SECRET": SECRET}))


def add(engine: Engine, channel: str, target: str, **given: Any) -> int:
    values = {"title": "Dose is high", "content": CONTENT, "created_at": NOW, "next_attempt_at": NOW, **given}
    with engine.begin() as connection:
        made = notification.insert().values(channel=channel, target=target, **values).returning(notification.c.id)
        return int(connection.execute(made).scalar_one())


def tell(engine: Engine, given: Notifier, now: datetime = NOW) -> int:
    return tell_waiting(engine, given, lambda: now, lambda: 0.5)


def row(engine: Engine, number: int) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(notification).where(notification.c.id == number)).one()


def test_a_webhook_gets_a_signed_body_once(engine: Engine, sink: Sink) -> None:
    number = add(engine, "webhook", "ris")
    add(engine, "dashboard", "")
    assert tell(engine, notifier(url=sink.url)) == 1
    assert tell(engine, notifier(url=sink.url)) == 0
    [(headers, body)] = sink.requests
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Treegarth-Signature"] == f"sha256={digest}"
    assert (headers["X-Treegarth-Id"], headers["X-Treegarth-Timestamp"]) == (str(number), str(int(NOW.timestamp())))
    said = json.loads(body)
    assert said == {**CONTENT, "id": number, "title": "Dose is high", "timestamp": int(NOW.timestamp())}
    assert (row(engine, number).state, row(engine, number).sent_at) == ("sent", NOW)


def test_a_webhook_that_refuses_is_tried_later_each_time_and_given_up(engine: Engine, sink: Sink) -> None:
    number = add(engine, "webhook", "ris")
    sink.status = 500
    now, pauses = NOW, []
    for _ in range(BACKOFF.most_attempts):
        assert tell(engine, notifier(url=sink.url), now) == 1
        found = row(engine, number)
        pauses.append(found.next_attempt_at - now)
        now = found.next_attempt_at
    assert pauses[:3] == [BACKOFF.first, 2 * BACKOFF.first, 4 * BACKOFF.first]
    assert max(pauses) == BACKOFF.longest
    assert (found.state, found.attempts, found.last_error) == (
        "given up",
        BACKOFF.most_attempts,
        "the webhook answered 500",
    )
    assert tell(engine, notifier(url=sink.url), now + timedelta(days=1)) == 0
    assert {headers["X-Treegarth-Id"] for headers, _ in sink.requests} == {str(number)}


def test_one_target_that_fails_is_asked_once_and_delays_no_other(
    engine: Engine, sink: Sink, mail_sink: MailSink
) -> None:
    for _ in range(3):
        add(engine, "webhook", "ris")
    mailed = add(engine, "email", "physics@example.org")
    assert tell(engine, notifier(port=mail_sink.port)) == 2  # nothing answers at the webhook's address
    assert row(engine, mailed).state == "sent"


def test_a_redirect_is_not_followed(engine: Engine, sink: Sink) -> None:
    number = add(engine, "webhook", "ris")
    sink.status = 307
    tell(engine, notifier(url=sink.url))
    assert row(engine, number).last_error == "the webhook answered 307"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{}/hook", "http://localhost:{}/hook", "http://2130706433:{}/", "http://[::ffff:7f00:1]:{}/"],
)
def test_a_webhook_of_this_machine_is_told_only_where_the_settings_list_it(
    engine: Engine, sink: Sink, url: str
) -> None:
    number = add(engine, "webhook", "ris")
    tell(engine, notifier(url=url.format(sink.server.server_port), places={}))
    assert "Treegarth.DestinationPlaces.LocalAddresses" in row(engine, number).last_error
    assert (row(engine, number).state, sink.requests) == ("waiting", [])
    again_at = row(engine, number).next_attempt_at
    tell(engine, notifier(url=sink.url), again_at)  # the setting was made
    assert row(engine, number).state == "sent"


def test_the_addresses_of_webhooks_can_be_limited(engine: Engine) -> None:
    number = add(engine, "webhook", "ris")
    tell(engine, notifier(url="http://192.0.2.1/hook", places={"Addresses": ["10.0.0.0/8"]}))
    assert "Treegarth.DestinationPlaces.Addresses" in row(engine, number).last_error


def test_an_email_is_a_letter_that_a_person_can_read(engine: Engine, mail_sink: MailSink) -> None:
    number = add(engine, "email", "physics@example.org", title="선량\u00a0초과")
    tell(engine, notifier(port=mail_sink.port))
    [raw] = mail_sink.messages
    letter = message_from_bytes(raw, policy=policy.default)
    assert (letter["Subject"], letter["To"]) == ("선량 초과", "physics@example.org")
    assert letter["Message-ID"] == f"<treegarth-{number}-{int(NOW.timestamp())}@example.org>"
    text = letter.get_content()
    assert "rule: 선량 보고" in text.splitlines()
    assert "asked by" not in text


def test_who_is_told_gets_the_studys_address_where_people_reach_it(
    engine: Engine, sink: Sink, mail_sink: MailSink
) -> None:
    published = notifier(url=sink.url, port=mail_sink.port, public_url="https://www.example.org/pacs/")
    add(engine, "webhook", "ris")
    add(engine, "email", "physics@example.org")
    add(engine, "webhook", "ris", content={"event": "of no study"})
    assert tell(engine, published) == 3
    (of_study, of_none) = (json.loads(body) for _, body in sink.requests)
    assert of_study["url"] == "https://www.example.org/pacs/treegarth/studies/1.2.3"
    assert "url" not in of_none
    letter = message_from_bytes(mail_sink.messages[0], policy=policy.default)
    assert "url: https://www.example.org/pacs/treegarth/studies/1.2.3" in letter.get_content().splitlines()


def test_the_address_says_which_study_is_meant_where_two_patients_share_its_uid(engine: Engine, sink: Sink) -> None:
    with engine.begin() as connection:
        ours, _ = (write_study(connection, number, study_instance_uid="1.2.3") for number in (1, 2))
    add(engine, "webhook", "ris", content={**CONTENT, "orthanc_study_id": ours})
    assert tell(engine, notifier(url=sink.url, public_url="https://www.example.org/")) == 1
    told = json.loads(sink.requests[0][1])
    assert told["url"] == f"https://www.example.org/treegarth/studies/1.2.3?orthanc_study_id={ours}"


@pytest.mark.parametrize(
    ("channel", "target", "given", "reason"),
    [
        ("webhook", "gone", {}, "no webhook of this name is set in Treegarth.Webhooks"),
        ("webhook", "ris", {"environment": {}}, "The environment variable RIS_SECRET (a secret's place) is not set."),
        ("webhook", "ris", {}, "the webhook did not answer: ConnectionError"),
        ("email", "a@example.org", {}, "the mail server could not be used: ConnectionRefusedError"),
    ],
)
def test_what_is_wrong_is_said_without_a_secret(
    engine: Engine, channel: str, target: str, given: dict[str, Any], reason: str
) -> None:
    number = add(engine, channel, target)
    tell(engine, notifier(**given))
    found = row(engine, number).last_error
    assert found == reason
    assert isinstance(found, Phrase)  # a page can say it in another language


def test_a_mail_server_that_cannot_encrypt_or_refuses_gets_nothing(engine: Engine, mail_sink: MailSink) -> None:
    number = add(engine, "email", "a@example.org")
    tell(engine, notifier(port=mail_sink.port, security="starttls"))
    assert "cannot do what Treegarth.Mail asks" in row(engine, number).last_error
    mail_sink.refuses = True
    refused = add(engine, "email", "b@example.org")
    tell(engine, notifier(port=mail_sink.port))
    assert row(engine, refused).last_error == "the mail server refused the recipient (550)"
    assert mail_sink.messages == []


def test_a_worker_that_vanished_gives_its_claim_back(engine: Engine, sink: Sink) -> None:
    add(engine, "webhook", "ris", attempts=1, next_attempt_at=NOW + timedelta(minutes=2))
    assert tell(engine, notifier(url=sink.url)) == 0
    assert tell(engine, notifier(url=sink.url), NOW + timedelta(minutes=2)) == 1
