"""nginx and Caddy of Debian before an Orthanc, by the examples of docker/proxy as they stand there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

from tests.servers import ROOT, free_ports

EXAMPLES = ROOT / "docker" / "proxy"
PUBLIC_HOST = "pacs.example.test"
"""What people call it. No name server knows it: a browser is told where it is."""
Kind = Literal["nginx", "caddy"]
Place = Literal["root", "prefix"]
PATHS: dict[Place, str] = {"root": "", "prefix": "/pacs"}
NAMES_OF_EXAMPLES: dict[Place, str] = {"root": "pacs.example.org", "prefix": "www.example.org"}


def public_url(place: Place) -> str:
    return f"https://{PUBLIC_HOST}{PATHS[place]}"


@dataclass
class Proxy:
    """One proxy that speaks HTTPS for an Orthanc, in a folder of its own, on a free port of this machine."""

    kind: Kind
    place: Place
    folder: Path
    orthanc_port: int

    def __post_init__(self) -> None:
        self.port, self._other_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = self.folder / "proxy.log"

    def __enter__(self) -> Proxy:
        self.folder.mkdir(parents=True)
        self._make_certificate()
        command = self._nginx() if self.kind == "nginx" else self._caddy()
        environment = {
            **os.environ,
            "HOME": str(self.folder),  # Caddy keeps its data below
            "PUBLIC_HOST": PUBLIC_HOST,
            "ORTHANC": f"127.0.0.1:{self.orthanc_port}",
            "CERTIFICATE": str(self._certificate),
            "CERTIFICATE_KEY": str(self._key),
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self._wait_until_it_listens()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)

    @property
    def browser_argument(self) -> str:
        """What tells Chromium where this proxy is."""
        return f"--host-resolver-rules=MAP {PUBLIC_HOST} 127.0.0.1:{self.port}"

    @property
    def _certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def _key(self) -> Path:
        return self.folder / "key.pem"

    def _make_certificate(self) -> None:
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        name = ("-subj", f"/CN={PUBLIC_HOST}", "-addext", f"subjectAltName=DNS:{PUBLIC_HOST}")
        subprocess.run(
            ["openssl", "req", "-x509", *kind, *name, "-keyout", str(self._key), "-out", str(self._certificate)],
            check=True,
            capture_output=True,
            timeout=120,
        )

    def _nginx(self) -> list[str]:
        name = NAMES_OF_EXAMPLES[self.place]
        example = (EXAMPLES / f"nginx-{self.place}.conf").read_text(encoding="utf-8")
        for old, new in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            (f"server_name {name};", f"server_name {PUBLIC_HOST};"),
            (f"/etc/ssl/certs/{name}.pem", str(self._certificate)),
            (f"/etc/ssl/private/{name}.key", str(self._key)),
            ("http://127.0.0.1:8042", f"http://127.0.0.1:{self.orthanc_port}"),
        ):
            assert example.count(old) == 1, f"nginx-{self.place}.conf has {old} {example.count(old)} times"
            example = example.replace(old, new)
        (self.folder / "site.conf").write_text(example, encoding="utf-8")
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"    {place}_temp_path {self.folder}/{place};\n" for place in places)
        (self.folder / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            f"daemon off;\nworker_processes 1;\npid {self.folder}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\n    access_log off;\n{temporary}    include {self.folder}/site.conf;\n}}\n",
            encoding="utf-8",
        )
        return ["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]

    def _caddy(self) -> list[str]:
        (self.folder / "Caddyfile").write_text(
            f"{{\n\tadmin off\n\thttp_port {self._other_port}\n\thttps_port {self.port}\n"
            "\tdefault_bind 127.0.0.1\n}\n"
            f"import {EXAMPLES / f'{self.place}.Caddyfile'}\n",
            encoding="utf-8",
        )
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile")]

    def _wait_until_it_listens(self, timeout_s: float = 180) -> None:
        assert self._process is not None
        deadline = monotonic() + timeout_s
        while monotonic() < deadline:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            sleep(0.05)
        raise AssertionError(f"{self.kind} does not listen:\n{self._log.read_text(encoding='utf-8')[-2000:]}")
