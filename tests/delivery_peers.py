"""Destinations of other makers for tests: dcmtk's two servers, and moto's S3."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import boto3
import pydicom
import requests
from moto.server import ThreadedMotoServer

from tests.servers import free_ports

_QUERY_SERVER = """\
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{aet} "{folder}" RW (200, 1024mb) ANY
AETable END
"""


@contextmanager
def storescp(folder: Path, *, aet: str) -> Iterator[int]:
    """dcmtk's plain storage server, which can be asked nothing, writing into the folder; its port."""
    (port,) = free_ports(1)
    folder.mkdir(parents=True)
    with _running(["storescp", "-aet", aet, "-od", str(folder), str(port)], port, folder.parent / f"{aet}.log"):
        yield port


@contextmanager
def dcmqrscp(folder: Path, *, aet: str) -> Iterator[int]:
    """dcmtk's small archive, which answers C-FIND, keeping its objects in the folder; its port."""
    (port,) = free_ports(1)
    folder.mkdir(parents=True)
    configuration = folder.parent / f"{aet}.cfg"
    configuration.write_text(_QUERY_SERVER.format(port=port, aet=aet, folder=folder), encoding="ascii")
    with _running(["dcmqrscp", "-c", str(configuration)], port, folder.parent / f"{aet}.log"):
        yield port


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = monotonic() + 150
        while not _listens(port):
            assert process.poll() is None, log.read_text(errors="replace")
            assert monotonic() < deadline, f"{command[0]} does not listen"
            sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def sop_instance_uids(folder: Path) -> list[str]:
    """Of every DICOM file below the folder, sorted; one that stands there twice is there twice."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "index.dat"]
    return sorted(str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in files)


@contextmanager
def bare_409() -> Iterator[tuple[str, list[str]]]:
    """A DICOMweb server that keeps every object, lists it, and answers each store with a 409 that says nothing: its
    address, and the SOP Instance UIDs that came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in dict.fromkeys(came)]
            self._answer(200 if found else 204, json.dumps(found).encode() if found else b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            boundary = self.headers["Content-Type"].rpartition("boundary=")[2].encode()
            for part in body.split(b"--" + boundary)[1:-1]:
                content = BytesIO(part.split(b"\r\n\r\n", 1)[1])
                came.append(str(pydicom.dcmread(content, stop_before_pixels=True).SOPInstanceUID))
            self._answer(409, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Not into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/web", came
    server.shutdown()
    server.server_close()


@contextmanager
def s3_server() -> Iterator[str]:
    """An S3 server in this process; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # All servers of a process share their buckets.
    requests.post(f"{url}/moto-api/reset", timeout=120).raise_for_status()
    yield url
    server.stop()


@contextmanager
def s3_client(url: str) -> Iterator[Any]:
    login = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **login)
    yield client
    client.close()
