"""The table of a closed loop: medians of the runs of each setting, and each peer's cost against ours."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.closed_loop import Run

OURS = "Duologue"


def medians(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the median of every figure over the runs of one setting, the runs' number and the sum of errors."""
    table = []
    for system, stored, annotators in dict.fromkeys((run.system, run.stored, run.annotators) for run in runs):
        rows = [asdict(run) for run in runs if (run.system, run.stored, run.annotators) == (system, stored, annotators)]
        middle = {name: statistics.median(row[name] for row in rows) for name in rows[0] if name != "system"}
        line = {"system": system} | middle | {"errors": sum(row["errors"] for row in rows), "runs": len(rows)}
        table.append(line | {"ratio": 1.0})
    for line in table:
        line["ratio"] = _ratio(table, line)
    return table


def _ratio(table: Sequence[dict[str, Any]], line: dict[str, Any]) -> float | None:
    """Return how often our CPU an operation goes into this line's, at as many annotators; None without ours."""
    ours = [row["cpu"] for row in table if row["system"] == OURS and row["annotators"] == line["annotators"]]
    return line["cpu"] / ours[0] if ours else None


COLUMNS = [
    ("system", "system", ""),
    ("stored", "stored", ",.0f"),
    ("annotators", "annotators", ".0f"),
    ("per_second", "ops/s", ".0f"),
    ("p50", "p50 ms", ".1f"),
    ("p95", "p95 ms", ".1f"),
    ("p99", "p99 ms", ".1f"),
    ("cpu", "CPU ms/op", ".2f"),
    ("web_cpu", "web", ".2f"),
    ("database_cpu", "database", ".2f"),
    ("ratio", "times ours", ".1f"),
    ("web_memory", "web MB", ".0f"),
    ("database_memory", "database MB", ".0f"),
    ("errors", "errors", ".0f"),
    ("background", "background", ".2f"),
    ("stolen", "steal", ".2f"),
    ("calibration", "calibration ms", ".1f"),
]


def show(table: Sequence[dict[str, Any]]) -> None:
    """Print the medians as a table."""
    rows = [[title for _, title, _ in COLUMNS]]
    rows += [[_cell(line[name], style) for name, _, style in COLUMNS] for line in table]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _cell(value: Any, style: str) -> str:
    return "-" if value is None else format(value, style)
