"""vLLM with the packaged model. A file of its own: a process holds one engine of vLLM at a time."""

from inference_worker.backends import Request
from inference_worker.prompts import Prompt
from inference_worker.schema import Sampling
from tests.engines.asking import SMALL, ask, load, texts


def test_greedy_texts_of_a_real_model_are_those_of_transformers(smollm2):
    sampling = Sampling(max_new_tokens=12)
    said = ["Say hello to Mina.", "Name a colour.", "What is rain?", "My dog is ill. What now?"]
    requests = [Request(Prompt("You are kind.", text), sampling, seed=1) for text in said]
    backend = load("vllm", smollm2, max_model_len=256, **SMALL)
    found = texts(ask(backend, requests))
    backend.close()
    assert found == texts(ask(load("transformers", smollm2), requests))
