"""The endpoint backend against vLLM's own API server, with faults between the two."""

import os
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from inference_worker.backends import Completion, EngineError, Failure, load_backend
from inference_worker.schema import SKILLS, ModelSpec
from inference_worker.skills import parse_skill_of_mind
from tests.engines.asking import ask, load, texts, thinking
from tests.inference.endpoint import FaultyProxy

KEY = "sk-engines-0123456789"
START_SECONDS = 240


@pytest.fixture(scope="module")
def server(tiny, tmp_path_factory):
    """The address of `vllm serve` with the tiny model, in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    arguments = ["--model", str(tiny), "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port)]
    small = ["--dtype", "float32", "--enforce-eager", "--max-model-len", "256", "--gpu-memory-utilization", "0.1"]
    program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *arguments, *small, "--api-key", KEY]
    with log.open("w") as words:
        process = subprocess.Popen(program, env=os.environ, stdout=words, stderr=words)
    try:
        wait_until_ready(process, address, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_ready(process, address, log):
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            if httpx.get(f"{address}/health", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(f"vLLM's server did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def connect(monkeypatch, server):
    """Return a function that loads the backend behind a proxy with these faults."""
    opened = []

    def open_one(*faults, key=KEY, **options):
        proxy = FaultyProxy(server, *faults).__enter__()
        monkeypatch.setenv("ENDPOINT_SERVED_URL", proxy.url)
        monkeypatch.setenv("ENDPOINT_SERVED_KEY", key)
        opened.append((proxy, None))
        backend = load_backend(ModelSpec("test", "openai", "served", options={"dialect": "vllm"} | options))
        opened[-1] = (proxy, backend)
        return backend, proxy

    yield open_one
    for proxy, backend in opened:
        if backend:
            backend.close()
        proxy.__exit__()


def test_what_is_served_is_what_transformers_writes_on_the_same_weights(tiny, connect):
    backend, proxy = connect()
    requests = thinking(8)
    answers = ask(backend, requests)
    assert texts(answers) == texts(ask(load("transformers", tiny), requests))
    assert all(answer.prompt_tokens > 10 and answer.completion_tokens > 3 for answer in answers)
    assert KEY not in "".join(proxy.seen)
    assert not backend.engine.is_reproducible


@pytest.mark.parametrize("streams", [True, False])
def test_faults_that_pass_are_waited_out(connect, streams):
    backend, proxy = connect(429, "drop", 503, "garbage", "cut", stream=streams)
    answers = ask(backend, thinking(6, max_new_tokens=4))
    assert [answer.completion_tokens for answer in answers] == [4] * 6
    assert len(proxy.seen) == 6 + 5


def test_a_fault_that_stays_ends_as_a_failure(connect):
    backend, proxy = connect(*[500] * 3, tries=3)
    (answer,) = ask(backend, thinking(1))
    assert isinstance(answer, Failure)
    assert answer.can_retry
    assert len(proxy.seen) == 3


@pytest.mark.parametrize("fault", ["hang", "trickle"])
def test_a_slow_server_is_given_up_after_the_time_limit(connect, fault):
    backend, _ = connect(fault, tries=1, timeout_seconds=0.5)
    (answer,) = ask(backend, thinking(1))
    assert "did not answer" in answer.reason


def test_a_prompt_that_is_too_long_is_refused_once(connect):
    backend, proxy = connect()
    (long,) = thinking(1, max_new_tokens=100_000)
    (answer,) = ask(backend, [long])
    assert not answer.can_retry
    assert answer.reason.startswith("served answered 400")
    assert len(proxy.seen) == 1


def test_the_first_token_is_timed_and_stop_strings_are_kept(connect):
    backend, _ = connect()
    (answer,) = ask(backend, thinking(1, stop=(", so",)))
    assert isinstance(answer, Completion)
    assert ", so" not in answer.text
    assert answer.finish_reason == "stop"
    assert answer.first_token_ms > 0


def test_the_form_is_forced_and_a_begun_answer_goes_on(connect):
    backend, _ = connect()
    wild = thinking(4, temperature=2.0, max_new_tokens=120, skills=SKILLS)
    found = {
        parse_skill_of_mind(answer.text, finish_reason=answer.finish_reason).outcome for answer in ask(backend, wild)
    }
    assert found <= {"ok", "truncated"}
    (answer,) = ask(backend, thinking(1, start="Jonas is worried about"))
    assert answer.text.startswith(" the ")


def test_a_stop_ends_the_waiting(connect):
    backend, proxy = connect(*[503] * 200, tries=200, concurrency=1)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    assert dict(backend.generate(thinking(3), stop)) == {}
    assert len(proxy.seen) < 200


def test_a_wrong_key_stops_the_worker_at_the_start(connect):
    with pytest.raises(EngineError, match="refuses the key"):
        connect(key="wrong")
