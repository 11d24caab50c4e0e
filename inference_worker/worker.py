"""A worker: one loaded model, the batches it holds, and the messages that it sends while it works."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from inference_worker.backends import Backend
from inference_worker.batches import run_batch
from inference_worker.memory import resident_bytes
from inference_worker.schema import Alive, Batch, ModelSpec, Record, Records

log = logging.getLogger(__name__)

ALIVE_SECONDS = 3.0
# Finished texts wait so long for company: progress stays live, and those who store them have little to do for each.
RECORD_SECONDS = 1.0
RECORD_LIMIT = 256


class Outbox(Protocol):
    """Where a worker's messages go."""

    def record(self, records: Records) -> None:
        """Send finished texts."""
        ...

    def alive(self, alive: Alive) -> None:
        """Send a sign of life."""
        ...


class Worker:
    """One model, ready to write. `run` is called by as many threads as the engine allows, `alive` by another."""

    def __init__(self, name: str, spec: ModelSpec, backend: Backend, outbox: Outbox) -> None:
        self.name = name
        self.stopping = threading.Event()
        self._spec = spec
        self._backend = backend
        self._outbox = outbox
        self._lock = threading.Lock()
        self._held: dict[str, list[str]] = {}
        self._pace = Pace()

    def run(self, batch: Batch) -> None:
        """Write the texts of a batch and send each on soon after it is finished."""
        log.info("Batch %s: %d texts", batch.id, len(batch.items))
        with self._holding(batch), self._pace.running():
            for records in in_portions(run_batch(batch, self._backend, self._spec, self.stopping)):
                self._pace.add(sum(r.provenance.completion_tokens for r in records if r.provenance))
                if records[-1].handed_back:
                    # First that no more is wanted here, else what is handed back comes here again.
                    self.say_alive()
                self._outbox.record(Records(batch.id, self.name, tuple(records)))

    def alive(self) -> Alive:
        """Return what this worker says about itself now."""
        engine = self._backend.engine
        with self._lock:
            held = dict(self._held)
        return Alive(
            worker=self.name,
            model=self._spec.slug,
            revision=engine.revision,
            engine=engine.name,
            engine_version=engine.version,
            device=engine.device,
            memory_bytes=resident_bytes(),
            tokens_per_second=self._pace.tokens_per_second(),
            batches=held,
            stopping=self.stopping.is_set(),
        )

    def say_alive(self) -> None:
        """Send a sign of life; one that does not get through is followed by the next."""
        try:
            self._outbox.alive(self.alive())
        except Exception as problem:
            log.warning("A sign of life did not get through: %s", problem)

    def stop(self) -> None:
        """Write no further text: what a running batch lacks goes back."""
        self.stopping.set()

    @contextmanager
    def _holding(self, batch: Batch) -> Iterator[None]:
        with self._lock:
            self._held[batch.id] = sorted({item.token for item in batch.items})
        self.say_alive()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(batch.id, None)


class Pace:
    """Tokens written per second of work, since the worker last had nothing to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._tokens = 0
        self._started = 0.0
        self._ended: float | None = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure one batch, perhaps beside others."""
        with self._lock:
            if not self._running:
                self._tokens, self._started, self._ended = 0, time.monotonic(), None
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self._ended = time.monotonic()

    def add(self, tokens: int) -> None:
        """Count tokens that were written."""
        with self._lock:
            self._tokens += tokens

    def tokens_per_second(self) -> float:
        """Return the pace; 0 before the first batch."""
        with self._lock:
            seconds = (time.monotonic() if self._ended is None else self._ended) - self._started
            return round(self._tokens / seconds, 1) if seconds > 0 else 0.0


class Pulse(threading.Thread):
    """Says every few seconds, also while a batch runs, that the worker lives."""

    def __init__(self, worker: Worker, *, seconds: float = ALIVE_SECONDS) -> None:
        super().__init__(name="pulse", daemon=True)
        self._worker = worker
        self._seconds = seconds
        self._over = threading.Event()

    def run(self) -> None:
        """Speak at once, then at every interval."""
        self._worker.say_alive()
        while not self._over.wait(self._seconds):
            self._worker.say_alive()

    def end(self) -> None:
        """Stop, with a last word that says so."""
        self._over.set()
        self.join()
        self._worker.stop()
        self._worker.say_alive()


def in_portions(
    records: Iterable[Record], *, seconds: float = RECORD_SECONDS, limit: int = RECORD_LIMIT
) -> Iterator[list[Record]]:
    """Group records as they come: a portion goes out when it is old enough or full, the rest at the end."""
    portion: list[Record] = []
    sent = time.monotonic()
    for record in records:
        portion.append(record)
        if len(portion) >= limit or time.monotonic() - sent >= seconds:
            yield portion
            portion, sent = [], time.monotonic()
    if portion:
        yield portion
