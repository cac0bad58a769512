"""Whoever is asked how far deliveries are, list, page, chart, tile, system, API, metrics: all say the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from tests.delivery_peers import bare_409
from tests.delivery_scp import DeliveryScp, Manners
from tests.delivery_support import dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory, rounds
from tests.orthanc.test_deliveries import filled
from tests.servers import OrthancServer
from treegarth.features.deliveries.model import Standing
from treegarth.features.deliveries.words import COLOURS, WORDS

DOWN_S = rounds(8, 120)
KEPT_S = 13
"""For so long /metrics may say what was; it is asked of the database once in ten seconds."""
Counts = Mapping[str, Mapping[str, int]]  # by destination: objects by standing


def test_all_that_tell_how_far_deliveries_are_agree_at_every_moment(new_server: ServerFactory, tmp_path: Path) -> None:
    server = filled(new_server, tmp_path, studies=3, series=2, instances=4)
    manners = {
        "down": Manners(),
        "picky": Manners(takes_no_ct=True),
        "mute": Manners(answers_find=False),
        "loses": Manners(loses=0.4),
        "full": Manners(has_already=True),
    }
    with ledger_of(server) as ledger, ExitStack() as stack:
        nodes = {name: stack.enter_context(DeliveryScp(tmp_path / name, given)) for name, given in manners.items()}
        given: dict[str, Any] = {name: {"max_attempts": 2} if name == "picky" else {} for name in nodes}
        numbers = {name: ledger.add(dicom_settings(name, node.port, **given[name])) for name, node in nodes.items()}
        for name, node in nodes.items():
            if name != "down":
                node.start()
        url, came = stack.enter_context(bare_409())
        numbers["web"] = ledger.add({"name": "web", "kind": "dicomweb", "address": {"url": url}})
        watch = Watch(server, numbers)
        ledger.request(list(numbers.values()))
        begun = monotonic()
        while not watch.is_over() and monotonic() - begun < 240 + DOWN_S:
            watch.look()
            if nodes["down"].process is None and monotonic() - begun > DOWN_S:
                nodes["down"].start()
            ledger.age(numbers["loses"], minutes=3)  # as if it had listed nothing for so long
            ledger.age(numbers["picky"], minutes=0)
        sleep(KEPT_S)
        watch.look()
        ends = {name: {state: count for state, count in found.items() if count} for name, found in watch.last.items()}
        assert ends == {
            "down": {"arrived": 24},
            "picky": {"given up": 24},
            "mute": {"unproved": 24},
            "loses": {"arrived": 24},
            "full": {"arrived": 24},
            "web": {"arrived": 24},
        }
        assert {"waiting", "sending"} <= watch.seen
        assert watch.compared >= 3
        refused = server.get("deliveries", destination="picky", limit=1)["items"][0]
        assert refused["last_error"] == "The node takes no such objects: CT Image Storage."
        assert max(nodes["full"].received().values()) == 1
        assert len(came) == len(set(came)) == 24
        assert max(nodes["mute"].received().values()) == 1


class Watch:
    """Asks all who tell, again and again, and compares what they say where nothing moved meanwhile."""

    def __init__(self, server: OrthancServer, numbers: Mapping[str, int]) -> None:
        self.server, self.numbers = server, numbers
        self.last: Counts = {}
        self.seen: set[str] = set()
        self.compared = 0
        self._said: list[tuple[float, Counts]] = []

    def is_over(self) -> bool:
        return bool(self.last) and not any(one["waiting"] + one["sending"] for one in self.last.values())

    def look(self) -> None:
        """Compare once; what moved between the first and the last question is asked anew."""
        for _ in range(4):
            tries, before = self._tries(), self._summary()
            told = {name: self._told(name) for name in self.numbers}
            sums = self._sums()
            metrics = self._metrics()
            if self._summary() == before and self._tries() == tries:
                break
        else:
            return
        self.last = before
        self.compared += 1
        self.seen |= {state for one in before.values() for state, count in one.items() if count}
        for name, by in told.items():
            assert by == dict.fromkeys(by, before[name]), name
        whole = Counter[str]()
        for one in before.values():
            whole.update(one)
        assert sums == {who: {state: whole[state] for state in Standing} for who in sums}
        assert metrics in [said for at, said in self._said if at > monotonic() - KEPT_S]

    def _summary(self) -> Counts:
        found = {one["destination"]: one["objects"] for one in self.server.get("deliveries/summary")["items"]}
        self._said.append((monotonic(), found))
        return found

    def _tries(self) -> list[tuple[str, str, int]]:
        """By which it shows that an object was sent and waits again as before."""
        items = self.server.get("deliveries", limit=1000)["items"]
        return sorted((one["destination"], one["orthanc_instance_id"], one["attempts"]) for one in items)

    def _told(self, name: str) -> dict[str, dict[str, int]]:
        """What is told of one destination, by who tells it."""
        number = self.numbers[name]
        page = self._page(f"deliveries/destinations/{number}")
        items = self.server.get("deliveries", destination=name, limit=1000)["items"]
        studies = self.server.get("deliveries/studies", destination=number, limit=1000)["items"]
        objects = Counter(one["state"] for one in items)
        by_study = Counter[str]()
        for one in studies:
            by_study.update(one["counts"])
        return {
            "page": tiles_of(page),
            "chart": chart_of(page),
            "API of destinations": self.server.get(f"destinations/{number}")["objects"],
            "objects": {state: objects[state] for state in Standing},
            "studies": {state: by_study[state] for state in Standing},
            "list": bars_of(self._page(f"deliveries?destination={number}")),
        }

    def _sums(self) -> dict[str, dict[str, int]]:
        """What is told of all destinations together."""
        listed = bars_of(self._page("deliveries"))
        items = self.server.get("studies")["items"]
        pages = Counter[str]()
        for one in items:
            pages.update(bars_of(self._page(f"studies/{one['study_instance_uid']}")))
        return {
            "tile": health_of(self._page("")),
            "system": tiles_of(self._page("system")),
            "list": listed,
            "pages of studies": {state: pages[state] for state in Standing},
        }

    def _metrics(self) -> Counts:
        text = requests.get(f"{self.server.base_url}/metrics", timeout=120).text
        found: dict[str, dict[str, int]] = {}
        line = r'^treegarth_delivery_objects\{destination="(\w+)",state="([a-z ]+)"\} ([\d.]+)$'
        for name, state, count in re.findall(line, text, flags=re.MULTILINE):
            found.setdefault(name, {})[state] = int(float(count))
        return found

    def _page(self, path: str) -> str:
        answer = requests.get(f"{self.server.base_url}/{path}", timeout=120, headers={"Accept-Language": "en"})
        answer.raise_for_status()
        return answer.text


def tiles_of(page: str) -> dict[str, int]:
    """The numbers that a page marks with their standing."""
    found = dict(re.findall(r'data-standing="([a-z ]+)" data-value="(\d+)"', page))
    return {state: int(found[state]) for state in Standing}


def chart_of(page: str) -> dict[str, int]:
    """The sums of the columns of the table that a destination's chart is drawn from."""
    table = page[page.index('id="by-hour"') :]
    sums = Counter[str]()
    for row in table[: table.index("</table>")].split("<tr>")[2:]:
        values = [int(one) for one in re.findall(r'data-value="(\d+)"', row)]
        sums.update(dict(zip(COLOURS, values, strict=False)))
    return {state: sums[state] for state in Standing}


def bars_of(page: str) -> dict[str, int]:
    """The sums of the numbers beneath the bars of a page."""
    words = {word: state for state, (_, word) in WORDS.items()}
    sums = Counter[str]()
    for count, word in re.findall(r"<b>([\d,]+)</b> ([a-z, ]+)", page):
        if word.strip() in words:
            sums[words[word.strip()]] += int(count.replace(",", ""))
    return {state: sums[state] for state in Standing}


def health_of(page: str) -> dict[str, int]:
    """What health says of deliveries."""
    said = r"([\d,]+) waiting · ([\d,]+) sending · ([\d,]+) arrived · ([\d,]+) sent, unproved · ([\d,]+) given up"
    found = re.search(said, page)
    assert found is not None, page
    return {state: int(one.replace(",", "")) for state, one in zip(Standing, found.groups(), strict=True)}
