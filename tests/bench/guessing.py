"""What somebody who guesses passwords learns and disturbs: 1,000 wrong ones, for names that there are and that there
are not, while objects are stored and pages are asked for. And that the administrator still gets in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import requests

from tests.bench.report import Figure
from tests.delivery_support import ledger_of
from tests.load import bench_instances
from tests.servers import OrthancServer
from tests.sign_in_support import PASSWORD, add_token, add_user, of_user, signed_in, until
from treegarth.access.passwords import Argon2id
from treegarth.access.store import create_user
from treegarth.access.throttle import FREE_TRIES

GUESSES = 1_000
GUESSERS = 2
ROUNDS = 60  # stores and pages without anybody who guesses


def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="bench") as place:
        server = OrthancServer(Path(place) / "server", treegarth={"SignIn": "treegarth"})
        with server.start():
            return _measured(server, bench_instances(10 * ROUNDS, Path(place) / "objects"))


def _measured(server: OrthancServer, paths: list[Path]) -> list[Figure]:
    headers = of_user(add_token(server, add_user(server, "admin", "administrator")))
    until(200, "GET", f"{server.url}/system", 10, headers=headers)
    browser = signed_in(server, "admin")
    objects = iter(paths)

    def store() -> None:
        data = next(objects).read_bytes()
        requests.post(f"{server.url}/instances", data=data, headers=headers, timeout=60).raise_for_status()

    def page() -> None:
        browser.get(f"{server.base_url}/studies", timeout=60).raise_for_status()

    quiet = {act: [_ms(act) for _ in range(ROUNDS)] for act in (store, page)}
    disturbed: dict[Callable[[], None], list[float]] = {store: [], page: []}
    names = _names(server)
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    with ThreadPoolExecutor(GUESSERS) as guessers:
        guesses = [(name, guessers.submit(_ms, partial(_guess, server, name))) for name in names]
        while not guesses[-1][1].done() and len(disturbed[store]) < len(paths) - ROUNDS:
            for act, found in disturbed.items():
                found.append(_ms(act))
        for name, guess in guesses:
            by_kind[name.startswith("user ")].append(guess.result())
    for _ in range(4 * FREE_TRIES):
        requests.post(f"{server.base_url}/sign-in", data={"name": "admin", "password": "wrong"}, timeout=60)
    browser.post(f"{server.base_url}/sign-out", timeout=60)
    form = {"name": "admin", "password": PASSWORD, "next": "/treegarth/"}
    again = browser.post(f"{server.base_url}/sign-in", data=form, timeout=60, allow_redirects=False)
    known, unknown = median(by_kind[True]), median(by_kind[False])
    return [
        Figure("guessing: a wrong password of a user", known, "ms"),
        Figure("guessing: of nobody, to that", abs(unknown / known - 1) * 100, "% apart", at_most=10),
        Figure("guessing: a store meanwhile", median(disturbed[store]) / median(quiet[store]), "×", at_most=1.2),
        Figure("guessing: a page meanwhile", median(disturbed[page]) / median(quiet[page]), "×", at_most=1.5),
        Figure("guessing: the administrator gets in", float(again.status_code == 303), "", at_least=1),
    ]


def _names(server: OrthancServer) -> list[str]:
    """Users and names that nobody has in turn, each less often than it takes to be slowed down."""
    password, often = Argon2id().hashed(PASSWORD), FREE_TRIES - 1
    users = [f"user {number}" for number in range(GUESSES // 2 // often + 1)]
    with ledger_of(server) as ledger, ledger.engine.begin() as connection:
        for name in users:
            create_user(connection, name, datetime.now(UTC), by=None, roles=(), password_hash=password)
    asked = [(users[number // often], f"nobody {number // often}") for number in range(GUESSES // 2)]
    return [name for pair in asked for name in pair]


def _guess(server: OrthancServer, name: str) -> None:
    answer = requests.post(f"{server.base_url}/sign-in", data={"name": name, "password": "a wrong one"}, timeout=60)
    assert answer.status_code == 403, answer.status_code


def _ms(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return (perf_counter() - began) * 1000
