"""The client asks Orthanc for what it was told to and for nothing that a path would become on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from treegarth.errors import NotFound
from treegarth.orthanc.client import OrthancAddress, OrthancClient


@pytest.fixture
def asked() -> list[str]:
    """The requests that came."""
    return []


@pytest.fixture
def orthanc(asked: list[str]) -> Iterator[OrthancClient]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(f"{self.command} {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Not into the test's output."""

    for method in ("GET", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    client = OrthancClient(OrthancAddress(url=f"http://127.0.0.1:{server.server_port}"))
    yield client
    client.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("label", ["..", "."])
def test_a_label_of_full_stops_does_not_mean_its_study(orthanc: OrthancClient, asked: list[str], label: str) -> None:
    path = f"/studies/7f6e/labels/{label}"
    uses: list[Callable[[str], object]] = [orthanc.delete, orthanc.get, orthanc.get_bytes]
    uses += [lambda at: orthanc.put(at, {}), lambda at: orthanc.post(at, {})]
    for use in uses:
        with pytest.raises(NotFound):
            use(path)
    assert orthanc.exists(path) is False
    assert asked == []


def test_full_stops_in_a_part_and_after_the_path_stay(orthanc: OrthancClient, asked: list[str]) -> None:
    orthanc.delete("/studies/7f6e/labels/a..b")
    orthanc.get("/tools/find?path=/../x")
    assert asked == ["DELETE /studies/7f6e/labels/a..b", "GET /tools/find?path=/../x"]
