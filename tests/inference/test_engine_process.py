"""An engine in a process of its own: the same answers, and neither process is left alone by the other."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from inference_worker.backends import EngineError, Request, load_backend
from inference_worker.engine_process import EngineProcess
from inference_worker.memory import resident_bytes
from inference_worker.prompts import Prompt
from inference_worker.schema import Sampling
from tests.inference.made import ROOT, make_spec, write_replies

# Says which process its engine is, then waits for a text that takes a minute.
WAITING = """
import sys, threading
from inference_worker.engine_process import EngineProcess
from tests.inference.test_engine_process import asked, make_spec
engine = EngineProcess(make_spec(source=sys.argv[1], options={"seconds_per_text": 60}))
print(engine._process.pid, flush=True)
list(engine.generate(asked(1), threading.Event()))
"""


def asked(count):
    return [Request(Prompt("", f"Number {number}."), Sampling(), seed=number) for number in range(count)]


@pytest.fixture
def replies(tmp_path):
    return write_replies(tmp_path / "replies.jsonl", *({"text": f"Answer {number}."} for number in range(7)))


@pytest.fixture
def start(replies):
    engines = []

    def begin(**options):
        engines.append(EngineProcess(make_spec(source=str(replies), options=options)))
        return engines[-1]

    yield begin
    for engine in engines:
        engine.close()


@pytest.fixture
def waiting(replies):
    """A process that waits for its engine, and the engine's own process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(replies)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process, int(process.stdout.readline())
    process.kill()
    process.communicate()


def is_gone(pid, *, seconds=10):
    """Tell whether a process ends in time; one that nobody has waited for yet has ended too."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_answers_are_those_of_the_engine_in_this_process(start, replies):
    here = load_backend(make_spec(source=str(replies)))
    apart = start()
    assert apart.engine == here.engine
    assert list(apart.generate(asked(300), threading.Event())) == list(here.generate(asked(300), threading.Event()))


def test_batches_side_by_side_get_their_own_answers(start):
    engine = start()
    found = {}

    def ask(count):
        found[count] = [answer.text for _, answer in engine.generate(asked(count), threading.Event())]

    threads = [threading.Thread(target=ask, args=[count]) for count in (40, 60, 80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {count: [f"Answer {number % 7}." for number in range(count)] for count in (40, 60, 80)}


def test_an_engine_that_cannot_start_says_why():
    with pytest.raises(EngineError, match="There is no file /nowhere to replay from"):
        EngineProcess(make_spec(source="/nowhere"))


def test_what_breaks_the_engine_is_raised_and_the_next_batch_is_written(start):
    engine = start()
    broken = [*asked(2), Request(None, Sampling(), seed=1)]
    answers = engine.generate(broken, threading.Event())
    assert [next(answers)[0], next(answers)[0]] == [0, 1]
    with pytest.raises(RuntimeError, match="NoneType"):
        next(answers)
    assert len(list(engine.generate(asked(3), threading.Event()))) == 3


def test_a_stopped_batch_is_left_and_the_engine_is_free_for_the_next(start):
    engine = start(seconds_per_text=0.2)
    stop = threading.Event()
    answers = engine.generate(asked(1000), stop)
    next(answers)
    stop.set()
    assert len(list(answers)) < 10
    assert len(list(engine.generate(asked(2), threading.Event()))) == 2


def test_memory_counts_the_engine_too(start):
    before = resident_bytes()
    start()
    assert resident_bytes() > before + 5_000_000


def test_the_engine_ends_with_the_worker_that_is_killed(waiting):
    process, engine = waiting
    process.kill()
    assert is_gone(engine)


def test_an_engine_that_hears_nothing_ends_with_the_worker_too(waiting):
    process, engine = waiting
    # As one that loads for minutes.
    os.kill(engine, signal.SIGSTOP)
    process.kill()
    is_over = is_gone(engine)
    if not is_over:
        os.kill(engine, signal.SIGKILL)
    assert is_over


def test_the_worker_ends_with_an_engine_that_is_killed_and_says_so(waiting):
    process, engine = waiting
    os.kill(engine, signal.SIGKILL)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "The engine ended with signal 9" in errors


def test_a_signal_for_the_whole_group_leaves_the_end_to_the_worker(start):
    engine = start()
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(engine._process.pid, each)
    assert len(list(engine.generate(asked(3), threading.Event()))) == 3
