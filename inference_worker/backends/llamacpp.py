"""llama.cpp in this process (xllamacpp): the embedded default, for the packaged model or any local GGUF file.

Options: `slots` (texts at once, 1), `threads` (all cores), `n_ctx` (tokens a text, 2048 or the model's own limit),
`gpu_layers` (0), `chat_template` (the model's own). One slot works through a batch in a fixed order, so the same batch
gives the same texts again.
"""

import importlib
import os
import queue
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inference_worker.backends import Answer, Completion, Engine, EngineError, Failure, Request, check_names
from inference_worker.backends.gguf_file import GgufHead, NotGguf, read_head
from inference_worker.memory import available_bytes, megabytes
from inference_worker.prompts import TEMPLATE_VALUES, Prompt
from inference_worker.schema import ModelSpec, Sampling
from inference_worker.skill_form import skill_only
from inference_worker.skills import MARKER
from inference_worker.weights import find_weights, sha256_of

DEFAULT_CONTEXT = 2048
# Weights are mapped, the context and buffers come on top; below this share of free memory the machine would swap.
MEMORY_FACTOR = 1.2
SMALL_MODEL_BYTES = 200 << 20
# What is kept for the marker (5 tokens of the packaged model), the longest skill (13 to 16, as it happens to cut it),
# the mark of an unfinished sentence and the end of the text.
SKILL_TOKENS = 24
UNFINISHED = "…"
# A text that takes no longer is asked for whole: streaming costs a small model a sixth of its time. A longer one is
# streamed, so that it can be left when the worker is stopped.
PATIENCE_SECONDS = 0.5
# Beyond these the engine ends the process.
MOST = {"threads": 512, "slots": 256}
SMALLEST_CONTEXT = 64


@dataclass(frozen=True)
class Options:
    """How the engine is set up; see the module's words."""

    slots: int = 1
    threads: int = 0
    n_ctx: int = 0
    gpu_layers: int = 0
    chat_template: str = ""


def load(spec: ModelSpec) -> "LlamaCpp":
    """Load a GGUF file. Raises EngineError if it is missing, damaged, without chat template, or does not fit."""
    path = find_weights(spec.source)
    options = _options(spec.options)
    head = _checked_head(path, options)
    _check_memory(path, head, options)
    _check_limits(options)
    return LlamaCpp(path, head, options)


class LlamaCpp:
    """A loaded GGUF model: in-process server with a fixed number of slots."""

    def __init__(self, path: Path, head: GgufHead, options: Options) -> None:
        self._slots = options.slots
        self._pace = Pace()
        library = _library()
        device = _gpu(library) if options.gpu_layers else f"cpu, {_threads(options)} threads"
        self._server = _start(library, path, options, context=_context(head, options))
        _try_out(self._server, path)
        self._engine = Engine(
            name="llama.cpp (xllamacpp)",
            version=library.__version__,
            revision=sha256_of(path),
            device=device,
            is_reproducible=options.slots == 1 and not _tells_the_hour(options.chat_template or head.chat_template),
        )

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Yield answers as they end; see Backend."""
        answers: queue.Queue[tuple[int, Answer] | None] = queue.Queue()
        lanes = _lanes(requests, self._slots)
        with ThreadPoolExecutor(len(lanes)) as pool:
            for slot, lane in enumerate(lanes):
                pool.submit(self._run_lane, slot, lane, requests, stop, answers)
            open_lanes = len(lanes)
            while open_lanes:
                answer = answers.get()
                if answer is None:
                    open_lanes -= 1
                else:
                    yield answer

    def close(self) -> None:
        """Free the model."""
        del self._server

    def _run_lane(
        self,
        slot: int,
        lane: Sequence[int],
        requests: Sequence[Request],
        stop: threading.Event,
        answers: "queue.Queue[tuple[int, Answer] | None]",
    ) -> None:
        try:
            for place, index in enumerate(lane):
                # A lane starts from nothing: what an earlier batch left in the slot must not reach this one's texts.
                call = _Call(self._server, slot, stop, self._pace, reuse=place > 0)
                answer = _answer(call, requests[index])
                if stop.is_set():
                    return
                answers.put((index, answer))
        finally:
            answers.put(None)


class Pace:
    """How long a token took of late."""

    def __init__(self) -> None:
        self._seconds_per_token = 0.0

    def note(self, seconds: float, tokens: int) -> None:
        """Learn from a text that has ended, its prompt's time included."""
        if tokens:
            self._seconds_per_token = seconds / tokens

    def is_short(self, tokens: int) -> bool:
        """Tell whether so many tokens are sure to be there in a moment; nothing is before the first text."""
        return 0 < self._seconds_per_token * tokens <= PATIENCE_SECONDS


@dataclass
class _Call:
    """One request to the server: whole where it is short, else streamed, so that it can be left early."""

    server: Any
    slot: int
    stop: threading.Event
    pace: Pace
    reuse: bool
    text: list[str] = field(default_factory=list)
    finish_reason: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    first_token_at: float = 0.0

    def run(self, body: dict[str, Any]) -> None:
        started = time.monotonic()
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        # A text that comes whole would repeat the beginning that was given.
        is_begun = body["messages"][-1]["role"] == "assistant"
        extra = {} if self.pace.is_short(body["max_tokens"]) and not is_begun else streamed
        rest = {"id_slot": self.slot, "cache_prompt": self.reuse}
        self.server.handle_chat_completions({**body, **extra, **rest}, self._take)
        self.pace.note(time.monotonic() - started, self.usage.get("completion_tokens", 0))

    def _take(self, chunk: dict[str, Any]) -> bool:
        if "error" in chunk:
            self.error = chunk["error"]
        for choice in chunk.get("choices", ()):
            if "message" in choice:
                self._take_text(choice["message"]["content"] or "", seconds_ago=_since_first_token(chunk["timings"]))
            else:
                self._take_text(choice["delta"].get("content") or "")
            self.finish_reason = choice["finish_reason"] or self.finish_reason
        self.usage = chunk.get("usage", self.usage)
        return self.stop.is_set()

    def _take_text(self, text: str, *, seconds_ago: float = 0) -> None:
        if text and not self.first_token_at:
            self.first_token_at = time.monotonic() - seconds_ago
        self.text.append(text)


def _since_first_token(timings: dict[str, float]) -> float:
    """Return the seconds that the engine wrote on after the first token of a text that came whole."""
    tokens = timings["predicted_n"]
    return timings["predicted_ms"] / 1000 * max(tokens - 1, 0) / max(tokens, 1)


def _answer(call: _Call, request: Request) -> Answer:
    started = time.monotonic()
    try:
        if request.skills:
            return _answer_with_skill(call, request, started)
        return _plain_answer(call, request, started)
    except Exception as problem:
        return Failure(f"llama.cpp could not answer: {problem}", can_retry=True)


def _plain_answer(call: _Call, request: Request, started: float) -> Answer:
    call.run(_body(request))
    if call.error or not call.finish_reason:
        return _failure(call.error)
    return Completion(
        text="".join(call.text),
        prompt_tokens=call.usage.get("prompt_tokens", 0),
        completion_tokens=call.usage.get("completion_tokens", 0),
        finish_reason=call.finish_reason,
        first_token_ms=round((call.first_token_at - started) * 1000) if call.first_token_at else 0,
    )


def _answer_with_skill(call: _Call, request: Request, started: float) -> Answer:
    """Write the explanation freely within its share of the tokens, then force the marker and one of the skills."""
    room = request.sampling.max_new_tokens - SKILL_TOKENS
    sampling = replace(request.sampling, max_new_tokens=max(room, 1), stop=(*request.sampling.stop, "\n", "[", "#"))
    thought = _plain_answer(call, replace(request, sampling=sampling, skills=()), started)
    if isinstance(thought, Failure):
        return thought
    explanation = _closed(thought)
    prompt = replace(request.prompt, start=f"{request.prompt.start}{explanation} {MARKER}")
    sampling = replace(request.sampling, max_new_tokens=SKILL_TOKENS, stop=(), repetition_penalty=1.0)
    second = _Call(call.server, call.slot, call.stop, call.pace, reuse=True)
    grammar = {"grammar": skill_only(request.skills)}
    second.run(_body(replace(request, sampling=sampling, prompt=prompt)) | grammar)
    if second.error or not second.finish_reason:
        return _failure(second.error)
    tokens = second.usage.get("prompt_tokens", 0) + second.usage.get("completion_tokens", 0) - thought.prompt_tokens
    skill = "".join(second.text)
    return replace(thought, text=f"{explanation} {MARKER}{skill}", completion_tokens=tokens, finish_reason="stop")


def _closed(thought: Completion) -> str:
    """Return the explanation; one that ran out of tokens ends at its last whole word, with a mark that says so."""
    if thought.finish_reason != "length":
        return thought.text.rstrip()
    return (thought.text.rpartition(" ")[0] or thought.text).rstrip() + UNFINISHED


def _body(request: Request) -> dict[str, Any]:
    """Return an OpenAI-style request that samples by temperature and top-p alone, whatever the engine's defaults."""
    sampling = request.sampling
    return {
        "messages": request.prompt.messages(),
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": 0,
        "min_p": 0.0,
        "repeat_penalty": sampling.repetition_penalty,
        "stop": list(sampling.stop),
        "seed": request.seed % 2**32,
        "chat_template_kwargs": TEMPLATE_VALUES,
    }


def _failure(error: dict[str, Any]) -> Failure:
    message = str(error.get("message", "the text broke off"))
    if error.get("type") == "exceed_context_size_error":
        return Failure(
            f"The prompt has {error.get('n_prompt_tokens')} tokens, and this worker's context holds "
            f"{error.get('n_ctx')}: start the worker with a larger n_ctx, or shorten the dialogue."
        )
    return Failure(f"llama.cpp could not answer: {message}", can_retry=error.get("code") != 400)


def _lanes(requests: Sequence[Request], slots: int) -> list[list[int]]:
    """Deal the requests out to slots so that those with a common beginning follow each other in one slot."""
    order = sorted(range(len(requests)), key=lambda index: (*_opening(requests[index]), index))
    size = -(-len(order) // slots)
    return [order[start : start + size] for start in range(0, len(order), size)]


def _opening(request: Request) -> tuple[str, str]:
    return request.prompt.system, request.prompt.user


def _options(options: dict[str, Any]) -> Options:
    check_names("llamacpp", options, Options.__dataclass_fields__)
    known = {name: options[name] for name in Options.__dataclass_fields__ if name in options}
    for name, value in known.items():
        if name == "chat_template":
            if not isinstance(value, str):
                raise EngineError(f"The option chat_template of llamacpp must be a text, not {value!r}.")
        elif isinstance(value, bool) or not isinstance(value, int) or value < (1 if name == "slots" else 0):
            raise EngineError(f"The option {name} of llamacpp must be a whole number, not {value!r}.")
    return Options(**known)


def _check_limits(options: Options) -> None:
    for name, most in MOST.items():
        if (value := getattr(options, name)) > most:
            raise EngineError(f"The option {name} of llamacpp must be at most {most}, not {value}.")
    if 0 < options.n_ctx < SMALLEST_CONTEXT:
        raise EngineError(f"The option n_ctx of llamacpp must be at least {SMALLEST_CONTEXT}, not {options.n_ctx}.")


def _gpu(library: Any) -> str:
    """Return the names of the GPUs that the engine sees. Raises EngineError where it sees none."""
    found = [device["description"] for device in library.get_device_info() if "GPU" in device["type"].name]
    if not found:
        raise EngineError(
            "llama.cpp sees no GPU here: leave gpu_layers at 0, or install the build of xllamacpp for this GPU."
        )
    return ", ".join(found)


def _tells_the_hour(template: str) -> bool:
    """Tell whether a template asks for the time in a way that cannot be answered alike every day."""
    return "strftime_now" in template and "date_string" not in template


def _threads(options: Options) -> int:
    return options.threads or len(os.sched_getaffinity(0))


def _writing_threads(path: Path) -> int:
    """Return how many threads are worth it for writing; all of them read prompts.

    Threads wait for each other at every token. For the packaged model that costs more than the second one brings: 61
    tokens a second with one thread and 32 to 42 with two, on two busy cores.
    """
    return 1 + path.stat().st_size // SMALL_MODEL_BYTES


def _checked_head(path: Path, options: Options) -> GgufHead:
    try:
        head = read_head(path)
    except NotGguf as problem:
        raise EngineError(f"{problem} Give a GGUF file, whole and readable.") from problem
    except OSError as problem:
        raise EngineError(
            f"{path} cannot be read ({problem.strerror}): give a file that this user may read."
        ) from problem
    if not (options.chat_template or head.chat_template):
        raise EngineError(
            f"{path.name} has no chat template, so nobody knows how to talk to it: choose an instruct model, or give "
            "the form it was tuned on as the option chat_template."
        )
    return head


def _context(head: GgufHead, options: Options) -> int:
    """Return the tokens of one slot: what was asked for, within what the model can."""
    return min(options.n_ctx or DEFAULT_CONTEXT, head.context_length or DEFAULT_CONTEXT)


def _check_memory(path: Path, head: GgufHead, options: Options) -> None:
    contexts = _context(head, options) * options.slots * head.bytes_per_token
    needed, free = path.stat().st_size * MEMORY_FACTOR + contexts, available_bytes()
    if needed > free:
        raise EngineError(
            f"{path.name} needs about {megabytes(needed)} of memory ({megabytes(contexts)} for the contexts of "
            f"{options.slots} slots) and {megabytes(free)} are free: choose a smaller model, a stronger quantisation, "
            "fewer slots or a smaller n_ctx, or free memory."
        )


def _library() -> Any:
    """Return the engine's module, loaded only now."""
    # By default threads spin while they wait for each other: on two busy cores that costs a factor of seven. The
    # OpenMP library reads this once, when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as missing:
        raise EngineError("llama.cpp is not installed here: run pip install xllamacpp.") from missing


def _start(library: Any, path: Path, options: Options, *, context: int) -> Any:
    params = library.CommonParams()
    params.model.path = str(path)
    params.n_parallel = options.slots
    params.n_ctx = context * options.slots
    params.kv_unified = False
    params.n_gpu_layers = options.gpu_layers
    params.cpuparams.n_threads = min(_threads(options), _writing_threads(path))
    params.cpuparams_batch.n_threads = _threads(options)
    params.cache_ram_mib = 0
    params.chat_template = options.chat_template
    params.verbosity = -1
    # The engine opens a port on 127.0.0.1 beside the calls in this process; nobody has the key to it.
    params.api_keys = [secrets.token_urlsafe(32)]
    try:
        return library.Server(params)
    except Exception as problem:
        raise EngineError(
            f"llama.cpp could not load {path.name}: {str(problem).rstrip('.')}. Fetch the file again if it may be "
            "damaged; else it is of a kind, or has a chat template, that this version does not know."
        ) from problem


def _try_out(server: Any, path: Path) -> None:
    """Let the model write one token. Raises EngineError where its chat template cannot be used.

    A server that is closed before it has ever answered may wait for itself without end.
    """
    call = _Call(server, 0, threading.Event(), Pace(), reuse=False)
    request = Request(Prompt("Be kind.", "Hello."), Sampling(max_new_tokens=1), seed=0)
    try:
        call.run(_body(request))
    except Exception as problem:
        call.error = {"message": str(problem)}
    if call.error:
        words = " ".join(str(call.error.get("message", "")).split())[:300]
        raise EngineError(
            f"The chat template of {path.name} cannot be used: {words} Give another one as the option chat_template."
        )
