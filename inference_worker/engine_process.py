"""An engine in a process of its own, behind the same protocol as one that is in this process.

An engine that steps from token to token in Python holds the interpreter nearly all the time. Beside it, the worker's
other work (messages, prompts, records) would slow it down by more than that work takes. So they share a pair of sockets
and nothing else: batches go over whole, answers come back a handful at a time. Each process ends with the other.
"""

import logging
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from inference_worker.backends import Answer, Backend, Engine, EngineError, Request, load_backend
from inference_worker.schema import ModelSpec

log = logging.getLogger(__name__)

# Engines that step from token to token in Python.
APART = frozenset({"vllm", "transformers"})
# How soon a batch notices that the worker was told to stop.
PATIENCE_SECONDS = 0.25
# An engine that does not let go of its memory in this time is killed.
CLOSE_SECONDS = 30.0


@dataclass(frozen=True)
class Write:
    """A batch for the engine, under a number that its answers repeat."""

    call: int
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Leave:
    """Nobody waits for the rest of this batch."""

    call: int


@dataclass(frozen=True)
class Loaded:
    """The engine is ready."""

    engine: Engine


@dataclass(frozen=True)
class Unfit:
    """The engine cannot start, in a sentence for the person who started it."""

    sentence: str


@dataclass(frozen=True)
class Answered:
    """One text of a batch."""

    call: int
    index: int
    answer: Answer


@dataclass(frozen=True)
class Over:
    """The last word about a batch: `problem` is what broke the engine on it, "" if nothing did."""

    call: int
    problem: str = ""


def start_engine(spec: ModelSpec) -> Backend:
    """Load the engine, apart where it steps in Python. Raises EngineError with a sentence that says what to do."""
    return EngineProcess(spec) if spec.backend in APART else load_backend(spec)


class EngineProcess:
    """The near side: a backend whose engine is elsewhere."""

    def __init__(self, spec: ModelSpec) -> None:
        self._connection, self._process = _start()
        self._connection.send(spec)
        try:
            answer = self._connection.recv()
        except EOFError as gone:
            raise EngineError(f"The engine ended with {_status(self._process)} while it was loaded.") from gone
        if isinstance(answer, Unfit):
            self._process.wait()
            raise EngineError(answer.sentence)
        self._engine: Engine = answer.engine
        self._sending = threading.Lock()
        self._calls: dict[int, queue.SimpleQueue[Answered | Over]] = {}
        self._begun = 0
        self._is_closing = False
        self._reader = threading.Thread(target=self._read, name="engine", daemon=True)
        self._reader.start()

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Hand the batch over and yield answers as they arrive; see Backend. Raises what broke the engine."""
        answers: queue.SimpleQueue[Answered | Over] = queue.SimpleQueue()
        call = self._begin(answers, requests)
        try:
            while not stop.is_set():
                try:
                    answer = answers.get(timeout=PATIENCE_SECONDS)
                except queue.Empty:
                    continue
                if isinstance(answer, Over):
                    if answer.problem:
                        raise RuntimeError(answer.problem)
                    return
                yield answer.index, answer.answer
        finally:
            del self._calls[call]
            self._send(Leave(call))

    def close(self) -> None:
        """End the engine's process, which frees all that it holds."""
        self._is_closing = True
        with suppress(OSError):
            self._send(None)
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _begin(self, answers: "queue.SimpleQueue[Answered | Over]", requests: Sequence[Request]) -> int:
        with self._sending:
            self._begun += 1
            self._calls[self._begun] = answers
            self._connection.send(Write(self._begun, tuple(requests)))
            return self._begun

    def _send(self, message: Any) -> None:
        with self._sending:
            self._connection.send(message)

    def _read(self) -> None:
        while True:
            try:
                messages = self._connection.recv()
            except (EOFError, OSError):
                break
            for message in messages:
                if answers := self._calls.get(message.call):
                    answers.put(message)
        if not self._is_closing:
            # What it was writing counts as lost after a while and is then tried in smaller batches.
            log.error("The engine ended with %s. The worker ends too: start it again.", _status(self._process))
            os._exit(1)


def _start() -> tuple[Connection, subprocess.Popen[bytes]]:
    near, far = socket.socketpair()
    with far:
        program = [sys.executable, "-m", "inference_worker.engine_program", str(far.fileno())]
        process = subprocess.Popen(program, pass_fds=[far.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603
    return Connection(near.detach()), process


def _status(process: subprocess.Popen[bytes]) -> str:
    status = process.wait()
    return f"signal {-status}" if status < 0 else f"status {status}"
