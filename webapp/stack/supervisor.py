"""One process that starts the stack, keeps it running, and takes it down again."""

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from webapp.stack.process import Child

# Everything is down within 5 s of the signal: programs get the first part, then the servers that they were using.
PROGRAMS_PATIENCE = 2.0
SERVERS_PATIENCE = 1.5
LOG_BYTES = 10 * 2**20
LONGEST_PAUSE = 30.0
# A program that ran this long had started well; its next failure is a new one.
STEADY_SECONDS = 60.0


@dataclass
class Kept:
    """A child that is started again when it ends by itself. `is_server` ones go down last."""

    name: str
    start: Callable[[], Child]
    is_server: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    child: Child | None = None
    started_at: float = 0.0
    failures: int = 0
    wait_until: float = 0.0

    def launch(self) -> None:
        self.started_at = time.monotonic()
        self.child = self.start()


@dataclass
class Supervisor:
    """Start children in order, restart what crashes with growing pauses, stop all in reverse."""

    tell: Callable[[str], None]
    kept: list[Kept] = field(default_factory=list)

    def add(self, kept: Kept) -> None:
        """Start a child and keep it. For the main thread: children live as long as the thread that made them."""
        self.kept.append(kept)
        kept.launch()

    def look_after(self) -> None:
        """Restart what ended, as far as its pause is over, and keep the logs small."""
        now = time.monotonic()
        for kept in self.kept:
            if kept.child is None:
                if now >= kept.wait_until:
                    self.try_again(kept)
            elif not kept.child.is_running():
                self.note_failure(kept, now)
            elif kept.child.log.stat().st_size > LOG_BYTES:
                shorten(kept.child.log)

    def note_failure(self, kept: Kept, now: float) -> None:
        """End what is left of a crashed child and set the time of its next start."""
        assert kept.child is not None
        kept.child.kill_group()
        kept.failures = 1 if now - kept.started_at > STEADY_SECONDS else kept.failures + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (kept.failures - 1))
        self.tell(
            f"{kept.name} ended ({describe(kept.child.process.returncode)}); starting it again in {pause:g} s. "
            f"Its last words: {kept.child.last_words() or 'none'} (log: {kept.child.log})"
        )
        kept.child, kept.wait_until = None, now + pause

    def try_again(self, kept: Kept) -> None:
        """Start a child again; a failure counts as another crash."""
        try:
            kept.launch()
        except Exception as error:
            kept.failures += 1
            kept.wait_until = time.monotonic() + min(LONGEST_PAUSE, 0.5 * 2**kept.failures)
            self.tell(f"{kept.name} did not start: {error}")

    def stop(self) -> None:
        """Take everything down: first the programs, then the servers under them."""
        stop_together([kept for kept in self.kept if not kept.is_server], PROGRAMS_PATIENCE)
        stop_together([kept for kept in self.kept if kept.is_server], SERVERS_PATIENCE)

    def kill(self) -> None:
        """End everything at once."""
        stop_together(self.kept, 0)


def stop_together(kept: list[Kept], patience: float) -> None:
    """Signal all, wait for all, then kill the groups of all, so that grandchildren go as well."""
    children = [(one.child, one.stop_signal) for one in kept if one.child is not None]
    for child, number in children:
        child.send(number)
    until = time.monotonic() + patience
    while any(child.is_running() for child, _ in children) and time.monotonic() < until:
        time.sleep(0.02)
    for child, _ in children:
        child.kill_group()


def shorten(log: Path) -> None:
    """Keep the log's past in one older file. The writer appends, so that emptying the file under it is safe."""
    shutil.copyfile(log, log.with_suffix(".old.log"))
    with log.open("r+b") as file:
        file.truncate(0)


def describe(code: int | None) -> str:
    """Say in words how a process ended."""
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
