"""The engines that run beside their worker, each in a process of its own."""

import threading

import pytest

from inference_worker.backends import EngineError
from inference_worker.engine_process import APART, EngineProcess, start_engine
from inference_worker.schema import ModelSpec
from tests.engines.asking import SMALL, ask, load, texts, thinking

OPTIONS = {"vllm": {**SMALL, "max_model_len": 512}, "transformers": {"dtype": "float32"}}


def start(backend, directory, **options):
    return start_engine(ModelSpec("test", backend, str(directory), options={**OPTIONS[backend], **options}))


@pytest.mark.parametrize("backend", sorted(APART))
def test_texts_are_those_of_the_engine_in_this_process(tiny, backend):
    requests = thinking(20)
    here = load("transformers", tiny, dtype="float32")
    apart = start(backend, tiny)
    assert isinstance(apart, EngineProcess)
    assert texts(ask(apart, requests)) == texts(ask(here, requests))
    apart.close()
    here.close()


def test_two_batches_at_once_get_their_own_texts(tiny):
    engine = start("vllm", tiny, batches_at_once=2)
    requests = thinking(60)
    alone = texts(ask(engine, requests))
    found = {}

    def write(part):
        found[part] = texts(ask(engine, requests[part * 30 : part * 30 + 30]))

    threads = [threading.Thread(target=write, args=[part]) for part in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] + found[1] == alone
    engine.close()


@pytest.mark.parametrize("backend", sorted(APART))
def test_a_model_that_is_missing_is_named(tmp_path, backend):
    with pytest.raises(EngineError, match=r"nowhere"):
        start(backend, tmp_path / "nowhere")
