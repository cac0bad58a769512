"""The command `treegarth dose read`: the dose of DICOM files, without any server. Opens files; prints to a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from treegarth.features.dose.reading import read_dose_stream
from treegarth.features.dose.reading.model import DoseReading, to_json


def read_files(paths: Sequence[str]) -> Iterator[tuple[str, DoseReading, bool]]:
    """(path, reading, opened) for each path in the order given; a file that cannot be opened is refused, not raised."""
    for path in paths:
        try:
            with open(path, "rb") as stream:
                yield path, read_dose_stream(stream), True
        except OSError as error:
            why = error.strerror or type(error).__name__
            yield path, DoseReading(refused=f"The file could not be opened: {why}."), False


def read_command(paths: Sequence[str], as_json: bool, output: TextIO) -> int:
    """Print the dose of each file: one JSON object a line, or a table for a person.

    Returns the exit code: 0 when each file was read or refused with a reason, 1 when one could not be opened.
    """
    all_opened = True
    for path, reading, opened in read_files(paths):
        all_opened = all_opened and opened
        output.write(to_json(path, reading) + "\n" if as_json else _paragraph(path, reading))
        output.flush()
    return 0 if all_opened else 1


def _paragraph(path: str, reading: DoseReading) -> str:
    if reading.refused is not None:
        return f"{path}\n  refused: {reading.refused}\n\n"
    lines = [path, f"  {reading.kind}, {_device(reading)}"]
    lines += [f"  {name}: {_shown(value)}" for name, value in reading.totals.items()]
    entries = reading.irradiation_events or reading.administrations
    if entries:
        lines += [f"  {line}" for line in _table([_row(number, entry) for number, entry in enumerate(entries, 1)])]
    lines += [f"  not read: {issue.path}: {issue.reason}" for issue in reading.issues]
    return "\n".join(lines) + "\n\n"


def _device(reading: DoseReading) -> str:
    equipment = reading.equipment
    named = [equipment.manufacturer, equipment.manufacturer_model_name, equipment.station_name]
    return " ".join(name for name in named if name) or "unnamed device"


_COLUMNS = (
    "irradiation_event_type", "acquisition_protocol", "mean_ctdi_vol_mgy", "dlp_mgy_cm", "ctdiw_phantom_type",
    "dose_area_product_gy_m2", "dose_rp_gy", "average_glandular_dose_mgy", "administered_activity_mbq",
    "effective_dose_msv", "kvp",
)  # fmt: skip


def _row(number: int, entry: object) -> dict[str, str]:
    values = dict(entry) if isinstance(entry, dict) else {}
    return {"#": str(number)} | {name: _shown(values[name]) for name in _COLUMNS if values.get(name) is not None}


def _table(rows: list[dict[str, str]]) -> list[str]:
    names = [name for name in ("#", *_COLUMNS) if any(name in row for row in rows)]
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in names}
    table = ["  ".join(name.ljust(widths[name]) for name in names)]
    return table + ["  ".join(row.get(name, "").ljust(widths[name]) for name in names).rstrip() for row in rows]


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, list):
        return ", ".join("–" if part is None else _shown(part) for part in value)
    return str(value)
