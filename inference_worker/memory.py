"""How much memory this machine has left and a worker holds, in bytes (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Return what this process may still take: the machine's free memory, or what is left of a container's limit."""
    free = _meminfo("MemAvailable")
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    return min(free, limit - used) if limit is not None and used is not None else free


def resident_bytes() -> int:
    """Return the resident memory of this process and those that it has started."""
    return sum(map(_resident_pages, _family(os.getpid()))) * os.sysconf("SC_PAGE_SIZE")


def megabytes(size: float) -> str:
    """Return a size for a sentence: whole megabytes."""
    return f"{size / 1e6:,.0f} MB"


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _family(int(child))


def _resident_pages(pid: int) -> int:
    return int((_text(Path(f"/proc/{pid}/statm")).split() or ["0", "0"])[1])


def _text(file: Path) -> str:
    """Return what a file of the kernel says; "" where its process has gone."""
    try:
        return file.read_text()
    except OSError:
        return ""


def _meminfo(name: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _number(file: Path) -> int | None:
    """Return the number in a file; None where there is no file or no limit (`max`)."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
