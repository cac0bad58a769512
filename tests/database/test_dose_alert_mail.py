"""What alerts tell by e-mail arrives once, also where the mail server was away; and names no patient anywhere."""

from __future__ import annotations

import logging
import socket
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import Engine, select

from tests.database.test_telling import MailSink, mail_sink, notifier
from tests.dose_alerts import DLP, MISSING, NOW, TELLING, arrive, change_study, ct, found, level, look
from tests.dose_statistics import keep
from tests.index_support import write_study
from treegarth.features.dose.alerts.service import sweep_missing
from treegarth.features.dose.alerts.store.due import note_changed
from treegarth.features.rules.notification import Notifier, tell_waiting
from treegarth.features.rules.tables import notification

__all__ = ["mail_sink"]


def states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(
            connection.execute(select(notification.c.state).where(notification.c.channel == "email")).scalars()
        )


def tell(engine: Engine, given: Notifier, hours: float = 0) -> None:
    tell_waiting(engine, given, lambda: NOW + timedelta(hours=hours), lambda: 0.5)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_mail_server_that_was_away_gets_one_mail(
    engine: Engine, mail_sink: MailSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    level(engine, DLP, name="high DLP", reason="look at the protocol", email=["physics@example.org"])
    exam = ct(2000, patient_id="SECRET-4711")
    with engine.begin() as connection:
        keep(connection, [exam])
        change_study(connection, exam, patient_name="Kim^Hidden")
        note_changed(connection, [exam.orthanc_study_id])
    look(engine)
    away = notifier(port=closed_port(), public_url="https://pacs.example.org")
    for hours in (0, 0.1, 0.2):
        tell(engine, away, hours)
    assert states(engine) == ["waiting"]
    there = notifier(port=mail_sink.port, public_url="https://pacs.example.org")
    for hours in (1, 2, 3):
        tell(engine, there, hours)
        look(engine)
    assert states(engine) == ["sent"]
    (sent,) = mail_sink.messages
    message = message_from_bytes(sent, policy=policy.default)
    text = message.get_content()
    (alert,) = found(engine)
    assert message["Subject"] == "high DLP"
    assert f"https://pacs.example.org/treegarth/dose/alerts/{alert.id}" in text
    for line in ("quantity: DLP", "value: 2000", "limit: 1000", "unit: mGy·cm", "why: look at the protocol"):
        assert line in text
    for secret in ("SECRET-4711", "Hidden"):
        assert secret not in text
        assert secret not in caplog.text


def test_a_missing_dose_is_told_of_after_its_hours_and_once(engine: Engine) -> None:
    number = level(engine, MISSING, exams_from="2020-01-01")
    with engine.begin() as connection:
        study = write_study(connection, 1, last_received_at=NOW - timedelta(hours=23))
    sweep_missing(engine, TELLING, NOW)
    assert found(engine) == []
    for hours in (1, 2, 30):
        sweep_missing(engine, TELLING, NOW + timedelta(hours=hours))
    (alert,) = found(engine)
    assert (alert.level_id, alert.orthanc_study_id, alert.details) == (number, study, {"lacks": ["ct_dose"]})
    assert (alert.limit_value, alert.unit) == (24, "h")
    exam = ct(100, orthanc_study_id=study)
    arrive(engine, exam)
    assert [one.state for one in found(engine)] == ["ended"]
