"""How much memory this machine has left and this process holds, in bytes (Linux)."""

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Return what this process may still take: the machine's free memory, or what is left of a container's limit."""
    free = _meminfo("MemAvailable")
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    return min(free, limit - used) if limit is not None and used is not None else free


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def megabytes(size: float) -> str:
    """Return a size for a sentence: whole megabytes."""
    return f"{size / 1e6:,.0f} MB"


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
