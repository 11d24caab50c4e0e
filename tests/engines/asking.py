"""Prompts for the engines, and a short way to ask."""

import threading

from inference_worker.backends import Request, load_backend
from inference_worker.prompts import Prompt
from inference_worker.schema import ModelSpec, Sampling

# vLLM on a small machine: exact arithmetic, no compilation, a tenth of the memory.
SMALL = {"dtype": "float32", "enforce_eager": True, "gpu_memory_utilization": 0.1}

FEELINGS = ["worried", "glad", "tired", "curious", "angry", "proud"]
TOPICS = ["exam", "move", "oven", "train", "garden", "dog", "letter", "concert"]


def load(backend, directory, **options):
    return load_backend(ModelSpec("test", backend, str(directory), options=options))


def thinking(count, *, stop=(), start="", skills=(), **sampling):
    """Return prompts as the tiny model was trained on, of different lengths."""
    given = Sampling(**{"temperature": 0.0, "max_new_tokens": 40, "stop": stop} | sampling)
    return [
        Request(Prompt("", _dialogue(number), start=start), given, seed=number, skills=skills)
        for number in range(count)
    ]


def ask(backend, requests, stop=None):
    found = dict(backend.generate(requests, stop or threading.Event()))
    return [found[index] for index in sorted(found)]


def texts(answers):
    return [answer.text for answer in answers]


def _dialogue(number):
    said = f"I am {FEELINGS[number % 6]} about the {TOPICS[number % 8]}."
    return f"### Dialogue:\n{['Jonas', 'Lea', 'Ruth'][number % 3]}: {said}\n\n### Explanation: "
