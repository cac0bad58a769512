"""How fast objects are forwarded: the ledger against storescu of the same files and against Orthanc's own auto-routing.

The receiver is another Orthanc each time. The ledger's time runs from the beginning of its first send to the end of
its last, the pauses between them included, and once more from the first wish; that of auto-routing from the first
object that the sender gets to the last that the receiver has.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from tests.bench.report import Figure
from tests.delivery_support import dicom_settings, ledger_of
from tests.load import bench_instances
from tests.servers import OrthancServer, store

TIMEOUT_S = 600
_SENDING = {"SaveJobs": False, "ConcurrentJobs": 8}
_LUA = "function OnStoredInstance(id, tags, metadata, origin)\n  SendToModality(id, 'receiver')\nend\n"


def measure(*, rounds: int = 3, objects: int = 300) -> list[Figure]:
    """Alternate the three ways of sending the same objects, then send to four destinations at once."""
    with TemporaryDirectory(prefix="bench") as place:
        root = Path(place)
        bench_instances(objects, root / "objects", series_size=100, series_per_study=3)
        with OrthancServer(root / "sender", settings=_SENDING) as sender:
            sender.start()
            store(sender, root / "objects", timeout_s=TIMEOUT_S)
            sender.wait_until_idle(TIMEOUT_S)
            direct, ledger, wished, lua = [], [], [], []
            for number in range(rounds):
                direct.append(objects / _storescu(root / f"direct{number}", root / "objects"))
                timed = _ledger(root / f"ledger{number}", sender, 1, objects)
                ledger.append(objects / timed.sent_s)
                wished.append(objects / timed.wished_s)
                lua.append(objects / _lua(root / f"lua{number}", root / "objects", objects))
            four = 4 * objects / _ledger(root / "four", sender, 4, objects).sent_s
    speed = median(ledger)
    return [
        Figure("storescu to an Orthanc", median(direct), "objects/s"),
        Figure("forwarding: one destination", speed, "objects/s"),
        Figure("forwarding: one destination, from the wish", median(wished), "objects/s"),
        Figure("Orthanc's Lua auto-routing", median(lua), "objects/s"),
        Figure("forwarding ÷ storescu", _ratio(ledger, direct), "ratio", at_least=0.9),
        Figure("forwarding ÷ Lua auto-routing", _ratio(ledger, lua), "ratio", at_least=1.0),
        Figure("forwarding: four destinations ÷ one, in total", four / speed, "ratio", at_least=2.0),
    ]


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def _receiver(folder: Path, stack: ExitStack) -> OrthancServer:
    settings = {"DicomAet": "NODE", "DicomAlwaysAllowFind": True}
    return stack.enter_context(OrthancServer(folder, treegarth=None, settings=settings)).start()


def _storescu(folder: Path, objects: Path) -> float:
    with ExitStack() as stack:
        receiver = _receiver(folder, stack)
        begin = monotonic()
        command = ["storescu", "-aec", "NODE", "+sd", "127.0.0.1", str(receiver.dicom_port), str(objects)]
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
        return monotonic() - begin


@dataclass(frozen=True, kw_only=True)
class _Timed:
    """Seconds until the last send ended: from the beginning of the first, and from the first wish."""

    sent_s: float
    wished_s: float


def _ledger(folder: Path, sender: OrthancServer, destinations: int, objects: int) -> _Timed:
    with ExitStack() as stack, ledger_of(sender) as ledger:
        receivers = [_receiver(folder / str(number), stack) for number in range(destinations)]
        ids = [
            ledger.add(dicom_settings(f"{folder.name} {number}", receiver.dicom_port, timeout_s=60))
            for number, receiver in enumerate(receivers)
        ]
        ledger.request(ids)
        ledger.announce()
        for one in ids:
            ledger.wait_until(one, {("confirmed", "find"): objects}, timeout_s=TIMEOUT_S)
        return _Timed(sent_s=ledger.sent_within_s(ids), wished_s=ledger.arrived_within_s(ids))


def _lua(folder: Path, files: Path, objects: int) -> float:
    folder.mkdir(parents=True)
    (folder / "routing.lua").write_text(_LUA, encoding="ascii")
    with ExitStack() as stack:
        receiver = _receiver(folder / "receiver", stack)
        modalities = {"receiver": ["NODE", "127.0.0.1", receiver.dicom_port]}
        settings = {"LuaScripts": [str(folder / "routing.lua")], "DicomModalities": modalities, **_SENDING}
        router = stack.enter_context(OrthancServer(folder / "router", treegarth=None, settings=settings)).start()
        begin = monotonic()
        store(router, files, timeout_s=TIMEOUT_S)
        while receiver.orthanc("statistics")["CountInstances"] < objects:
            if monotonic() - begin > TIMEOUT_S:
                raise RuntimeError("Auto-routing did not end.")
            sleep(0.05)
        return monotonic() - begin
