"""The one thread that touches vLLM's engine.

It takes in the texts of batches in the order in which they were asked for, lets all of them go on by a token at a time,
and hands each out as it ends. So what is done with a text before and after never holds the engine up, and what the
engine keeps at hand stays with one processor.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

log = logging.getLogger(__name__)

# So long a text that has ended waits at most until its record is made.
PATIENCE_SECONDS = 0.25


@dataclass
class Text:
    """One text to write: its place in the batch, its prompt, and its part of the engine's time so far."""

    index: int
    prompt_ids: list[int]
    parameters: Any
    seconds: float = 0.0
    first_token_at: float = 0.0


@dataclass(frozen=True)
class Refused:
    """The engine does not take this text."""

    reason: Exception


# A text, and the engine's output or why it has none.
Ended = tuple[Text, Any]


@dataclass(eq=False)
class Call:
    """One batch in the engine: its open texts by the engine's name for them, and what has ended.

    Its thread wakes now and then and when all is there, not for every text: each change from one thread to another
    costs the engine more than the work that is done there.
    """

    open: dict[str, Text] = field(default_factory=dict)
    ended: deque[Ended] = field(default_factory=deque)
    is_over: threading.Event = field(default_factory=threading.Event)
    broke: Exception | None = None

    def end(self, problem: Exception | None = None) -> None:
        """Say that nothing more will come."""
        self.broke = problem
        self.is_over.set()

    def take(self, stop: threading.Event) -> Iterator[Ended]:
        """Yield what has ended since it was asked last; nothing more after `stop`."""
        while self.ended and not stop.is_set():
            yield self.ended.popleft()


class Stepper:
    """Runs an engine for as many callers as there are. `refresh` is called before texts enter an idle engine."""

    def __init__(
        self, core: Any, *, refusals: tuple[type[Exception], ...], lora: Any, refresh: Callable[[], object]
    ) -> None:
        self._core = core
        self._refusals = refusals
        self._lora = lora
        self._refresh = refresh
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._owners: dict[str, Call] = {}
        self._added = 0
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def write(self, texts: Sequence[Text], stop: threading.Event) -> Iterator[Ended]:
        """Yield each text with the engine's output, or `Refused`, as they end. Raises what broke the engine."""
        call = Call()
        self._orders.put(partial(self._take_in, call, texts))
        try:
            while not (call.is_over.wait(PATIENCE_SECONDS) or stop.is_set()):
                yield from call.take(stop)
            yield from call.take(stop)
            if call.broke:
                raise call.broke
        finally:
            self._orders.put(partial(self._drop, call))

    def close(self) -> None:
        """End the thread."""
        self._orders.put(self._end)
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over:
            self._obey()
            if self._owners:
                try:
                    self._step()
                except Exception as problem:
                    self._break(problem)

    def _obey(self) -> None:
        """Do what was asked for meanwhile; wait for it where there is nothing else to do."""
        while not self._is_over:
            try:
                order = self._orders.get(block=not self._owners)
            except queue.Empty:
                return
            order()

    def _take_in(self, call: Call, texts: Sequence[Text]) -> None:
        try:
            if not self._owners:
                self._refresh()
            for text in texts:
                self._add(call, text)
        except Exception as problem:
            self._drop(call)
            call.end(problem)
            return
        if not call.open:
            call.end()

    def _add(self, call: Call, text: Text) -> None:
        self._added += 1
        name = str(self._added)
        prompt = {"prompt_token_ids": text.prompt_ids}
        try:
            self._core.add_request(name, prompt, text.parameters, lora_request=self._lora)
        except self._refusals as problem:
            call.ended.append((text, Refused(problem)))
            return
        self._owners[name] = call
        call.open[name] = text

    def _step(self) -> None:
        """Let every running text go on by a token; each step's time is divided among those who got one."""
        began = time.monotonic()
        outputs = [output for output in self._core.step() if output.request_id in self._owners]
        now = time.monotonic()
        for output in outputs:
            call = self._owners[output.request_id]
            text = call.open[output.request_id]
            text.seconds += (now - began) / len(outputs)
            text.first_token_at = text.first_token_at or now
            if output.finished:
                del self._owners[output.request_id], call.open[output.request_id]
                call.ended.append((text, output))
                if not call.open:
                    call.end()

    def _drop(self, call: Call) -> None:
        """Forget a batch that nobody waits for any more."""
        names = list(call.open)
        call.open.clear()
        for name in names:
            del self._owners[name]
        try:
            self._core.abort_request(names)
        except Exception as problem:
            log.warning("The engine could not let go of %d texts: %s", len(names), problem)

    def _break(self, problem: Exception) -> None:
        # Once a call, though it has many texts.
        for call in dict.fromkeys(self._owners.values()):
            self._drop(call)
            call.end(problem)

    def _end(self) -> None:
        self._is_over = True
