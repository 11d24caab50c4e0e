"""One child process: started in a process group of its own, tied to this process, ended for certain."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from webapp.stack import launch
from webapp.stack.binaries import StackError

LAUNCHER = Path(launch.__file__)


class Child:
    """A running program. Start it from a thread that lives as long as the program should: the kernel ties both."""

    def __init__(
        self,
        name: str,
        program: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        death_signal: signal.Signals = signal.SIGKILL,
        not_root: Sequence[Path] = (),
    ) -> None:
        """Launch `program`. `not_root` names the directories that it must be able to write when it gives up root."""
        self.name = name
        self.log = log
        flags = [launch.NOT_ROOT + ":".join(map(str, not_root))] if not_root else []
        tie = [str(os.getpid()), str(int(death_signal))]
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(LAUNCHER), *flags, *tie, *map(str, program)],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        if self.is_running():
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """End the program, everything that it started, and what is left of its group where it has ended already."""
        family = descendants(self.process.pid) if self.is_running() else []
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for pid in family:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM, *, patience: float) -> None:
        """Ask the program to end, wait `patience` seconds at most, then end its whole group."""
        self.send(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=patience)
        self.kill_group()

    def last_words(self, lines: int = 1) -> str:
        """Return the end of its log."""
        return last_lines(self.log, lines)


def libraries() -> dict[str, str]:
    """Return what this Python may need to find its own libraries, for environments that are otherwise made new."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


def descendants(pid: int) -> list[int]:
    """Return the processes under a process, in whatever group or session: PostgreSQL's backends have their own."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def last_lines(path: Path, lines: int) -> str:
    """Return the last lines of a log file, joined by ` / `."""
    with contextlib.suppress(OSError):
        return " / ".join(path.read_text(errors="replace").strip().splitlines()[-lines:])
    return ""


def run_to_end(
    name: str, program: Sequence[str | Path], *, env: Mapping[str, str], log: Path, not_root: Sequence[Path]
) -> None:
    """Run a program that ends by itself. Raises StackError with its last words when it fails."""
    child = Child(name, program, env=env, log=log, not_root=not_root)
    if child.process.wait() != 0:
        raise StackError(f"{name} failed: {child.last_words()} (log: {log})")


def wait_until_ready(child: Child, is_ready: Callable[[], bool], *, seconds: float) -> None:
    """Wait for `is_ready()`. Raises StackError when the child ends first or takes longer."""
    until = time.monotonic() + seconds
    while not is_ready():
        if not child.is_running():
            raise StackError(f"{child.name} stopped while starting: {child.last_words()} (log: {child.log})")
        if time.monotonic() > until:
            raise StackError(
                f"{child.name} was not ready after {seconds:.0f} s: {child.last_words()} (log: {child.log})"
            )
        time.sleep(0.02)
