"""What somebody wrote is shown as it is, also where a template would translate a message of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from treegarth.web.languages import read_languages
from treegarth.web.templates import make_environment

WEB = Path(__file__).resolve().parents[3] / "web"
HOSTILE = (
    "Chest 50% dose",
    "100%",
    "%(x)s",
    "%(num)s file",
    "<script>alert(1)</script>",
    '" onfocus="alert(1)',
    "흉부 %d",
)


@pytest.mark.parametrize("code", ["en", "ko"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_escaped_and_nothing_is_filled_in(code: str, text: str) -> None:
    language = read_languages(WEB / "locales")[code]
    environment = make_environment(WEB, language, ZoneInfo("UTC"), lambda: datetime(2026, 11, 21, tzinfo=UTC))
    shown = environment.from_string('<b title="{{ _(text) }}">{{ _(text) }}</b>').render(text=text)
    within = shown.removeprefix('<b title="').removesuffix("</b>")
    assert within.count("<") == 0
    assert within.count('">') == 1
    assert within.count('"') == 1
    assert "alert(1)" not in text or "&#34;" in within or "&lt;" in within
    select = environment.from_string(
        '{% from "forms.html" import select_of with context %}{{ select_of("n", "i", choices, "") }}'
    )
    assert "<script" not in select.render(choices=[(text, text)])


def test_messages_of_ours_are_still_said_in_the_language() -> None:
    language = read_languages(WEB / "locales")["ko"]
    environment = make_environment(WEB, language, ZoneInfo("UTC"), lambda: datetime(2026, 11, 21, tzinfo=UTC))
    assert environment.from_string('{{ _("95 %% interval") }}').render() == "95 % 구간"
    assert environment.from_string('{{ _("File %(number)s", number=3) }}').render() == language.gettext(
        "File %(number)s"
    ) % {"number": 3}
    assert environment.from_string("{{ _(label) }}").render(label="Median") == "중앙값"
