"""vLLM: continuous batching over a whole batch. The engine for GPUs.

Options go to the engine by their own names: `dtype`, `tensor_parallel_size`, `gpu_memory_utilization`, `max_model_len`,
`enforce_eager`, `max_num_seqs`, `max_num_batched_tokens`, `enable_chunked_prefill`, `quantization`,
`trust_remote_code`. `chat_template` stands in for the model's own. `lora` is the path or hub id of an adapter and
`lora_rank` its rank (16). `batches_at_once` (1) lets the engine begin the next batch while the last texts of this one
are written; then the same batch no longer promises the same texts.
"""

import importlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from inference_worker import skill_form
from inference_worker.backends import Answer, Completion, Engine, EngineError, Failure, Request
from inference_worker.backends.chat import chat_text, require_chat_template, token_ids_of
from inference_worker.backends.vllm_steps import Refused, Stepper, Text
from inference_worker.schema import ModelSpec
from inference_worker.weights import check_room, check_whole, revision_of

ENGINE_OPTIONS = (
    "dtype",
    "tensor_parallel_size",
    "gpu_memory_utilization",
    "max_model_len",
    "enforce_eager",
    "max_num_seqs",
    "max_num_batched_tokens",
    "enable_chunked_prefill",
    "quantization",
    "trust_remote_code",
)
DEFAULT_LORA_RANK = 16
# Options that are read for each batch, not by the engine.
PROMPT_OPTIONS = ("think_start", "respond_start", "repetition_penalty", "chat_template")


def load(spec: ModelSpec) -> "Vllm":
    """Start the engine. Raises EngineError with a sentence that says what to do."""
    # This process is there for the engine alone: one more would only have to be watched too.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    arguments = engine_arguments(spec)
    check_whole(spec.source)
    try:
        library = importlib.import_module("vllm")
    except ImportError as missing:
        raise EngineError("vLLM is not installed here: make engines builds its environment.") from missing
    platform = importlib.import_module("vllm.platforms").current_platform
    if platform.is_cpu():
        # A prompt that is read in two steps draws a token too many and takes it back, which random streams on the CPU
        # cannot do: the engine would break on large batches.
        arguments.setdefault("enable_chunked_prefill", False)
        check_room(spec.source)
    try:
        return Vllm(library, library.LLM(**arguments), spec)
    except EngineError:
        raise
    except Exception as problem:
        raise EngineError(_why(spec, problem)) from problem


def engine_arguments(spec: ModelSpec) -> dict[str, Any]:
    """Return the arguments of the engine. Raises EngineError for an option that is not known."""
    _batches_at_once(spec.options)
    known = {*ENGINE_OPTIONS, "batches_at_once", "lora", "lora_rank", *PROMPT_OPTIONS}
    if unknown := set(spec.options) - known:
        raise EngineError(f"vllm has no option {sorted(unknown)[0]!r} here: known are {', '.join(sorted(known))}.")
    given = {name: spec.options[name] for name in ENGINE_OPTIONS if name in spec.options}
    lora = {"enable_lora": True, "max_lora_rank": spec.options.get("lora_rank", DEFAULT_LORA_RANK)}
    return {
        "model": spec.source,
        "revision": spec.revision or None,
        "seed": 0,
        "disable_log_stats": True,
        **given,
        **(lora if spec.options.get("lora") else {}),
    }


class Vllm:
    """A running engine."""

    def __init__(self, library: Any, llm: Any, spec: ModelSpec) -> None:
        self._library = library
        self._llm = llm
        self._core = llm.llm_engine
        self._tokenizer = llm.get_tokenizer()
        require_chat_template(self._tokenizer, spec.source, given=spec.options.get("chat_template", ""))
        lora = self._loaded_adapter(spec.options.get("lora"))
        self._refusals = (ValueError, importlib.import_module("vllm.exceptions").VLLMValidationError)
        platform = importlib.import_module("vllm.platforms").current_platform
        dtype = str(self._core.model_config.dtype).removeprefix("torch.")
        commit = getattr(self._core.model_config.hf_config, "_commit_hash", None)
        adapter = f" + {spec.options['lora']}" if lora else ""
        at_once = _batches_at_once(spec.options)
        self._engine = Engine(
            name="vllm",
            version=str(library.__version__),
            revision=(revision_of(spec.source) or commit or spec.revision) + adapter,
            device=f"{platform.get_device_name()}, {dtype}",
            # Kernels on GPUs add up in an order that depends on what else is in the batch; and what else is in the
            # engine depends on time where batches run side by side.
            is_reproducible=bool(platform.is_cpu()) and at_once == 1,
            batches_at_once=at_once,
        )
        # What an earlier batch left in the cache must not reach the texts of one that can be written again.
        refresh = llm.reset_prefix_cache if self._engine.is_reproducible else _leave
        self._stepper = Stepper(self._core, refusals=self._refusals, lora=lora, refresh=refresh)

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Give the whole batch to the engine and yield answers as they end; see Backend.

        Several threads may do so at once: then the engine takes up texts of the next batch while the last ones of this
        one are written.
        """
        started = time.monotonic()
        prompts = token_ids_of(self._tokenizer, [chat_text(self._tokenizer, each.prompt) for each in requests])
        texts = []
        for index, (request, ids) in enumerate(zip(requests, prompts, strict=True)):
            try:
                texts.append(Text(index, ids, self._parameters(request)))
            except self._refusals as problem:
                yield index, _refusal(problem)
        for text, output in self._stepper.write(texts, stop):
            if isinstance(output, Refused):
                yield text.index, _refusal(output.reason)
            else:
                yield text.index, _completion(output, text, started)

    def close(self) -> None:
        """Free the engine."""
        self._stepper.close()
        del self._core, self._llm

    def _loaded_adapter(self, adapter: str | None) -> Any:
        """Return the adapter as requests name it, loaded now: a missing one is no surprise in the first batch."""
        if not adapter:
            return None
        request = importlib.import_module("vllm.lora.request").LoRARequest("adapter", 1, adapter)
        try:
            self._core.add_lora(request)
        except Exception as problem:
            words = " ".join(str(problem).split())[:300]
            raise EngineError(
                f"vLLM could not load the adapter {adapter}: {words} Check the path and its rank (lora_rank)."
            ) from problem
        return request

    def _parameters(self, request: Request) -> Any:
        sampling = request.sampling
        form = skill_form.regex(request.skills, max_new_tokens=sampling.max_new_tokens) if request.skills else None
        structured = importlib.import_module("vllm.sampling_params").StructuredOutputsParams
        return self._library.SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_new_tokens,
            stop=list(sampling.stop) or None,
            repetition_penalty=sampling.repetition_penalty,
            seed=request.seed,
            structured_outputs=structured(regex=form) if form else None,
        )


def _completion(output: Any, written: Text, started: float) -> Completion:
    text = output.outputs[0]
    return Completion(
        text=text.text,
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(text.token_ids),
        finish_reason="length" if text.finish_reason == "length" else "stop",
        first_token_ms=round((written.first_token_at - started) * 1000),
        engine_ms=round(written.seconds * 1000, 3),
    )


def _refusal(problem: Exception) -> Failure:
    return Failure(f"vLLM refused this text: {problem}")


def _leave() -> None:
    """Keep the cache as it is."""


def _batches_at_once(options: dict[str, Any]) -> int:
    value = options.get("batches_at_once", 1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise EngineError(f"The option batches_at_once of vllm must be a whole number from 1, not {value!r}.")
    return value


def _why(spec: ModelSpec, problem: Exception) -> str:
    words = " ".join(str(problem).split())[:300]
    if "memory" in words.lower():
        return (
            f"{spec.source} does not fit: {words} Choose a smaller model, a shorter max_model_len, another "
            "gpu_memory_utilization, or more GPUs with tensor_parallel_size."
        )
    return f"vLLM could not load {spec.source}: {words} Check the name, the access and the free disk."
