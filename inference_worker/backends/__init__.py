"""Engines behind one protocol. Each module is imported only when a worker is started with it."""

import importlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from inference_worker.prompts import Prompt
from inference_worker.schema import ModelSpec, Sampling

BACKENDS = ("llamacpp", "vllm", "transformers", "openai", "replay")
# Options that stand with a model and are read for every batch, whatever the engine.
BATCH_OPTIONS = ("think_start", "respond_start", "repetition_penalty")


class EngineError(Exception):
    """An engine cannot start or serve; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Request:
    """One text to write; the completion's text leaves out what the prompt begins the answer with.

    `skills` forces the form `explanation [RESULT SKILL] skill` with a skill of the tuple.
    """

    prompt: Prompt
    sampling: Sampling
    seed: int
    skills: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completion:
    """One text, as the engine gave it. `finish_reason` is `stop` or `length`; `first_token_ms` counts from the call.

    `engine_ms` is the text's share of the time that the engine was at work, where an engine that writes many texts at
    once can tell.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    first_token_ms: int = 0
    engine_ms: float | None = None


@dataclass(frozen=True)
class Failure:
    """Why a request has no text, and whether another try could help."""

    reason: str
    can_retry: bool = False


Answer = Completion | Failure


@dataclass(frozen=True)
class Engine:
    """What a record says about where its text came from. `revision` is a commit or `sha256:…` of the weights.

    So many `batches_at_once` may be asked for by as many threads.
    """

    name: str
    version: str
    revision: str
    device: str
    is_reproducible: bool
    batches_at_once: int = 1


class Backend(Protocol):
    """A loaded model."""

    @property
    def engine(self) -> Engine:
        """Return what is loaded."""
        ...

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Yield (index of the request, answer) as texts end, in any order; leave early once `stop` is set."""
        ...

    def close(self) -> None:
        """Free the engine."""
        ...


def load_backend(spec: ModelSpec) -> Backend:
    """Load the engine and the model. Raises EngineError with a sentence that says what to do."""
    if spec.backend not in BACKENDS:
        raise EngineError(f"There is no backend {spec.backend!r}: choose one of {', '.join(BACKENDS)}.")
    module = importlib.import_module(f"inference_worker.backends.{spec.backend}")
    backend: Backend = module.load(spec)
    return backend


def check_names(backend: str, options: Iterable[str], known: Iterable[str]) -> None:
    """Raise EngineError for the first option that an engine does not have: a slip of the pen would change nothing."""
    there = {*known, *BATCH_OPTIONS}
    if unknown := set(options) - there:
        raise EngineError(f"{backend} has no option {min(unknown)!r} here: known are {', '.join(sorted(there))}.")
