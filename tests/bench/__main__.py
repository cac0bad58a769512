"""Run the benchmarks (all, or those named), print their figures, write bench.json. Exit 1 where a limit is missed."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

from tests.bench import (
    admission,
    audit,
    dose,
    dose_analysis,
    dose_percentiles,
    forwarding,
    gate,
    guessing,
    index_writing,
    list_orders,
    memory,
    mending,
    retention,
    retention_space,
    rules_dry_run,
    size_specific,
    standard_names,
    store_path,
)

BENCHMARKS = {
    "store_path": store_path.measure,
    "admission": admission.measure,
    "index_writing": index_writing.measure,
    "gate": gate.measure,
    "guessing": guessing.measure,
    "audit": audit.measure,
    "memory": memory.measure,
    "mending": mending.measure,
    "dose": dose.measure,
    "dose_analysis": dose_analysis.measure,
    "dose_percentiles": dose_percentiles.measure,
    "size_specific": size_specific.measure_all,
    "forwarding": forwarding.measure,
    "list_orders": list_orders.measure,
    "rules_dry_run": rules_dry_run.measure,
    "standard_names": standard_names.measure,
    "retention": retention.measure,
    "retention_space": retention_space.measure,
}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"No benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
        return 2
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    figures = []
    for name in names or BENCHMARKS:
        for figure in BENCHMARKS[name]():
            figures.append(figure)
            print(figure.as_line(), flush=True)
    written = {figure.name: figure.as_json() for figure in figures}
    Path("bench.json").write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(figure.is_within for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
