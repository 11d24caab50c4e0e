"""Bring the demo study to the point where people can rate, with progress on the terminal."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from annotation.models import GenerationRun, Study
from annotation.services import generation
from annotation.services.demo import (
    DIALOGUES,
    DemoFailed,
    demo_study,
    is_open,
    launch_demo,
    order_again,
    order_responses,
)
from annotation.states import RunState
from inference_worker.schema import THINK

ROUNDS_AGAIN = 2
# A model that loads, or a long batch on a busy machine, takes a minute; five without a single text is a fault.
STALLED_SECONDS = 300
LINE_EVERY = 5.0

Tell = Callable[[str], None]


class Stopped(Exception):
    """The stack goes down while the demo is being made."""


class DemoMaker:
    """Makes the demo study ready, watching `stop`."""

    def __init__(self, *, logs: Path, tell: Tell, stop: threading.Event) -> None:
        self.logs = logs
        self.tell = tell
        self.stop = stop

    def make(self) -> Study:
        """Return the demo study, open for ratings, with all its responses written by the model worker."""
        began = time.monotonic()
        study = demo_study()
        if is_open(study):
            return study
        self.follow(order_responses(study, now=timezone.now()), "Writing responses")
        for attempt in range(1, ROUNDS_AGAIN + 1):
            for run in order_again(study, rethink=attempt == ROUNDS_AGAIN, now=timezone.now()):
                self.follow(run, f"Writing unusable ones again ({attempt} of {ROUNDS_AGAIN})")
        excluded = launch_demo(study, now=timezone.now())
        kept = DIALOGUES - excluded
        gone = f" ({excluded} excluded: no usable response after {1 + ROUNDS_AGAIN} attempts)" if excluded else ""
        self.tell(f"{kept} of {DIALOGUES} dialogues are ready to rate{gone}, after {time.monotonic() - began:.0f} s.")
        return study

    def follow(self, run: GenerationRun, title: str) -> None:
        """Wait until the run ends. Raises: DemoFailed when nothing moves for minutes, Stopped when the stack ends."""
        show = BarDisplay(title) if sys.stdout.isatty() else LineDisplay(title, self.tell)
        moved, last = time.monotonic(), -1
        with show:
            while True:
                state = generation.progress(run, now=timezone.now())
                ended = state.done + state.failed
                if ended != last:
                    moved, last = time.monotonic(), ended
                show.update(state)
                if state.state not in {RunState.RUNNING, RunState.PAUSED}:
                    return
                if time.monotonic() - moved > STALLED_SECONDS:
                    raise DemoFailed(
                        f"No text was written for {STALLED_SECONDS // 60} minutes ({ended} of {state.total} are done). "
                        f"See {self.logs / 'model-worker.log'} and {self.logs / 'worker.log'}."
                    )
                if self.stop.wait(0.3):
                    raise Stopped


def words(state: generation.Progress) -> str:
    """Say which stage is at work, and how fast."""
    thinking = any(stage.stage == THINK and stage.waiting for stage in state.stages)
    speed = f", {state.tokens_per_second:.0f} tokens/s" if state.tokens_per_second else ""
    return ("thinking" if thinking else "responding") + speed


class BarDisplay:
    """A bar on a terminal."""

    def __init__(self, title: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.bar = Progress(*columns, TextColumn("{task.fields[doing]}"), console=Console())
        self.task = self.bar.add_task(title, total=None, doing="waiting for the model")

    def __enter__(self) -> "BarDisplay":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def update(self, state: generation.Progress) -> None:
        doing = words(state) if state.done + state.failed else "waiting for the model"
        self.bar.update(self.task, total=state.total, completed=state.done + state.failed, doing=doing)


class LineDisplay:
    """A line now and then, where the output is a file or a pipe."""

    def __init__(self, title: str, tell: Tell) -> None:
        self.title, self.tell = title, tell
        self.said_at, self.said = 0.0, -1

    def __enter__(self) -> "LineDisplay":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, state: generation.Progress) -> None:
        ended = state.done + state.failed
        is_new = ended != self.said and time.monotonic() - self.said_at > LINE_EVERY
        if is_new or (ended == state.total and ended != self.said):
            self.said_at, self.said = time.monotonic(), ended
            self.tell(f"{self.title}: {ended} of {state.total} texts ({words(state)})")
