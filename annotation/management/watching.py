"""Follow a generation run in the terminal: a bar for every stage and model, or a line now and then in a log file."""

import time
from collections.abc import Callable, Iterator

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from annotation.models import GenerationRun
from annotation.services.generation import Progress, StageProgress, progress
from annotation.services.generation.wording import describe
from annotation.states import RunState

LOOK_SECONDS = 0.5
LINE_SECONDS = 10


def watch(run: GenerationRun, *, console: Console, sleep: Callable[[float], None] = time.sleep) -> Progress:
    """Show the run until it ends, is paused or is cancelled; return how far it is then. Safe to interrupt."""
    show = _Bars(console) if console.is_terminal else _Lines(console)
    with show:
        for now in _looks(run, sleep):
            show.update(now)
    return now


def _looks(run: GenerationRun, sleep: Callable[[float], None]) -> Iterator[Progress]:
    while True:
        now = progress(run, now=timezone.now())
        yield now
        if now.state != RunState.RUNNING:
            return
        sleep(LOOK_SECONDS)


def _name(stage: StageProgress) -> str:
    return f"{stage.stage.capitalize()}: {stage.model}"


class _Bars:
    """A bar for every stage and model."""

    def __init__(self, console: Console) -> None:
        note = TextColumn("{task.fields[note]}")
        self.bars = Bars(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), note, console=console)
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def update(self, now: Progress) -> None:
        for stage in now.stages:
            name = _name(stage)
            if name not in self.tasks:
                self.tasks[name] = self.bars.add_task(name, note="")
            ended = stage.total - stage.waiting
            self.bars.update(self.tasks[name], total=stage.total, completed=ended, note=describe(stage))


class _Lines:
    """A line when something has changed, every few seconds at most."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.said = ""
        self.said_at = -float(LINE_SECONDS)

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, now: Progress) -> None:
        parts = [f"{_name(stage)} {stage.done} of {stage.total}" for stage in now.stages]
        notes = [describe(stage) for stage in now.stages]
        line = "; ".join(f"{part} ({note})" if note else part for part, note in zip(parts, notes, strict=True))
        if line != self.said and time.monotonic() - self.said_at >= LINE_SECONDS:
            self.said, self.said_at = line, time.monotonic()
            self.console.print(line, soft_wrap=True, highlight=False, markup=False)
