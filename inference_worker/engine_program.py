"""The far side of an engine in a process of its own: `python -m inference_worker.engine_program FD`.

FD is one end of a pair of sockets (inference_worker/engine_process.py). The first message is a ModelSpec, the answer
says that its engine is loaded or why it cannot be; then batches come as they are asked for, and None ends it.
"""

import ctypes
import logging
import os
import queue
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from inference_worker.backends import Backend, EngineError, load_backend
from inference_worker.engine_process import Answered, Leave, Loaded, Over, Unfit, Write

# An engine gives the interpreter up in every operation and wants it back at once. Python's own 5 ms would cost a fast
# one some percent of its time.
SWITCH_SECONDS = 0.0005
# Linux ends this process with its parent, also while it loads and hears nothing.
PR_SET_PDEATHSIG = 1
# Answers wait so long for company on their way: each one alone would wake both processes.
GATHER_SECONDS = 0.1


def main() -> int:
    """Load the engine that is asked for, then write what comes until the other side ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The worker says when it is over; a signal to the whole group reaches it as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = Connection(int(sys.argv[1]))
    try:
        backend = load_backend(connection.recv())
    except EngineError as problem:
        connection.send(Unfit(str(problem)))
        return 0
    sys.setswitchinterval(SWITCH_SECONDS)
    connection.send(Loaded(backend.engine))
    writer = Writer(backend, connection)
    try:
        while (message := connection.recv()) is not None:
            writer.obey(message)
    except (EOFError, OSError):
        # Nobody is there any more, and the engine may be in the middle of a step.
        os._exit(1)
    backend.close()
    return 0


class Writer:
    """Lets the engine write batches, each in a thread, and sends the answers on."""

    def __init__(self, backend: Backend, connection: Connection) -> None:
        self._backend = backend
        self._connection = connection
        self._threads = ThreadPoolExecutor(backend.engine.batches_at_once)
        self._left: dict[int, threading.Event] = {}
        self._outgoing: queue.SimpleQueue[Answered | Over] = queue.SimpleQueue()
        self._is_urgent = threading.Event()
        threading.Thread(target=self._send_on, name="answers", daemon=True).start()

    def obey(self, message: Write | Leave) -> None:
        """Begin a batch, or leave one."""
        if isinstance(message, Write):
            stop = self._left[message.call] = threading.Event()
            self._threads.submit(self._write, message, stop)
        else:
            self._left.pop(message.call).set()

    def _write(self, message: Write, stop: threading.Event) -> None:
        problem = ""
        try:
            for index, answer in self._backend.generate(message.requests, stop):
                self._outgoing.put(Answered(message.call, index, answer))
        except Exception as broke:
            problem = str(broke) or type(broke).__name__
        self._outgoing.put(Over(message.call, problem))
        self._is_urgent.set()

    def _send_on(self) -> None:
        while True:
            messages = [self._outgoing.get()]
            self._is_urgent.wait(GATHER_SECONDS)
            self._is_urgent.clear()
            while not self._outgoing.empty():
                messages.append(self._outgoing.get())
            self._connection.send(messages)


if __name__ == "__main__":
    sys.exit(main())
