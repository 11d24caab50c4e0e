"""What the machine says about processes and itself: CPU time, memory, stolen time, how fast it is right now. Linux."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from webapp.stack.process import descendants

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Moment:
    """CPU seconds used so far: by process trees, by everybody, and taken away by the host."""

    wall: float
    trees: tuple[float, ...]
    bench: float
    busy: float
    stolen: float


def look(roots: Iterable[int]) -> Moment:
    """Read the clocks of the process trees under `roots`, of this process and of the machine."""
    return Moment(time.monotonic(), tuple(map(cpu_of_tree, roots)), time.process_time(), *_machine())


def cpu_of_tree(root: int) -> float:
    """Return the CPU seconds of a process, its living descendants and the children it has waited for."""
    own = _times(root, ended_children=True)
    return own + sum(_times(pid, ended_children=False) for pid in descendants(root))


def _times(pid: int, *, ended_children: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / TICK


def _machine() -> tuple[float, float]:
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq) / TICK, steal / TICK


def memory_of_tree(root: int, *, kind: str = "Pss") -> float:
    """Return the megabytes of a process tree, shared pages divided among those who share them.

    `kind` is a line of smaps_rollup: `Pss_Anon` leaves out files and shared memory, such as a database's cache.
    """
    return memory_of([root, *descendants(root)], kind=kind)


def memory_of(pids: Iterable[int], *, kind: str = "Pss") -> float:
    """Return the megabytes of these processes together."""
    return sum(_megabytes(pid, kind) for pid in pids)


def title(pid: int) -> str:
    """Return what a process calls itself; "" where it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _megabytes(pid: int, kind: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1024


def calibrate() -> float:
    """Return the milliseconds of a fixed loop of pure Python: the yardstick between machines and moments."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number % 7
        best = min(best, time.perf_counter() - started)
    return best * 1000
