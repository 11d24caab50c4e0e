"""The transformers library: the reference engine, on any device, for causal and for seq2seq models.

Options: `device` (cuda if there is one, else cpu), `dtype` (bfloat16 on cuda, float32 on cpu), `batch_size` (texts at
once: 64 on cuda, 8 on cpu), `trust_remote_code` (false), `chat_template` (the model's own). Each text has a random
stream of its own, so its neighbours in a batch do not change what it draws.
"""

import importlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from inference_worker.backends import Answer, Completion, Engine, EngineError, Failure, Request, check_names
from inference_worker.backends.chat import chat_text, plain_text, require_chat_template, token_ids
from inference_worker.backends.transformers_sampling import processors
from inference_worker.schema import ModelSpec, Sampling
from inference_worker.weights import check_room, check_whole, revision_of

OPTIONS = ("device", "dtype", "batch_size", "trust_remote_code", "chat_template")
CPU_BATCH, GPU_BATCH = 8, 64
NO_GRAMMAR = "transformers cannot force the form of a skill-of-mind: serve this model with vllm, llamacpp or openai."


def load(spec: ModelSpec) -> "Transformers":
    """Load model and tokenizer. Raises EngineError with a sentence that says what to do."""
    check_names("transformers", spec.options, OPTIONS)
    check_whole(spec.source)
    try:
        torch, library = importlib.import_module("torch"), importlib.import_module("transformers")
    except ImportError as missing:
        raise EngineError("transformers is not installed here: make engines builds its environment.") from missing
    return Transformers(torch, library, spec)


class Transformers:
    """A loaded model."""

    def __init__(self, torch: Any, library: Any, spec: ModelSpec) -> None:
        self._torch = torch
        options = spec.options
        self._device = options.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
        on_gpu = str(self._device).startswith("cuda")
        dtype = _dtype(torch, options.get("dtype") or ("bfloat16" if on_gpu else "float32"))
        self._batch_size = _batch_size(options.get("batch_size", GPU_BATCH if on_gpu else CPU_BATCH))
        place = {"revision": spec.revision or None, "trust_remote_code": bool(options.get("trust_remote_code"))}
        config = _from_hub(torch, library.AutoConfig, spec, **place)
        self._is_seq2seq = bool(config.is_encoder_decoder)
        kind = library.AutoModelForSeq2SeqLM if self._is_seq2seq else library.AutoModelForCausalLM
        self._tokenizer = _from_hub(torch, library.AutoTokenizer, spec, padding_side="left", **place)
        if not self._is_seq2seq:
            require_chat_template(self._tokenizer, spec.source, given=options.get("chat_template", ""))
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        if not on_gpu:
            check_room(spec.source)
        self._model = _from_hub(torch, kind, spec, dtype=dtype, **place).eval()
        self._model = _to_device(torch, self._model, self._device, spec)
        # A seq2seq model reads as far as memory goes; a causal one knows only so many places.
        places = getattr(config.get_text_config(), "max_position_embeddings", None)
        self._context = 0 if self._is_seq2seq else int(places or 0)
        commit = getattr(config, "_commit_hash", None)
        self._engine = Engine(
            name="transformers",
            version=f"{library.__version__} (torch {torch.__version__})",
            revision=revision_of(spec.source) or commit or spec.revision,
            device=f"{_device_name(torch, self._device)}, {str(dtype).removeprefix('torch.')}",
            is_reproducible=not on_gpu,
        )

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Yield answers, a padded batch at a time; see Backend."""
        started = time.monotonic()
        prompts = [self._ids(self._text(request)) for request in requests]
        able = []
        for index, request in enumerate(requests):
            if problem := self._cannot(request, prompts[index]):
                yield index, Failure(problem)
            else:
                able.append(index)
        for batch in _batches(able, requests, prompts, self._batch_size):
            if stop.is_set():
                return
            yield from self._run(batch, requests, prompts, stop, started)

    def close(self) -> None:
        """Free the model."""
        del self._model
        if str(self._device).startswith("cuda"):
            self._torch.cuda.empty_cache()

    def _cannot(self, request: Request, prompt: Sequence[int]) -> str:
        if request.skills:
            return NO_GRAMMAR
        if self._context and len(prompt) >= self._context:
            return (
                f"The prompt has {len(prompt)} tokens, and this model's context holds {self._context}: choose a model "
                "with a longer one, or shorten the dialogue."
            )
        return ""

    def _text(self, request: Request) -> str:
        return plain_text(request.prompt) if self._is_seq2seq else chat_text(self._tokenizer, request.prompt)

    def _run(
        self,
        batch: Sequence[int],
        requests: Sequence[Request],
        prompts: Sequence[list[int]],
        stop: threading.Event,
        started: float,
    ) -> Iterator[tuple[int, Answer]]:
        sampling = requests[batch[0]].sampling
        ids = [prompts[index] for index in batch]
        inputs = self._tokenizer.pad({"input_ids": ids}, padding=True, return_tensors="pt").to(self._device)
        watch = Watch(self._torch, stop)
        with self._torch.inference_mode():
            output = self._model.generate(
                **inputs,
                **self._arguments(sampling),
                logits_processor=processors(self._torch, sampling, [requests[index].seed for index in batch]),
                stopping_criteria=[watch],
            )
        if stop.is_set():
            return
        new = output if self._is_seq2seq else output[:, inputs["input_ids"].shape[1] :]
        first_token_ms = round((watch.first_at - started) * 1000)
        for index, prompt, row in zip(batch, ids, new.tolist(), strict=True):
            yield index, self._completion(row, len(prompt), sampling, first_token_ms)

    def _ids(self, text: str) -> list[int]:
        if self._is_seq2seq:
            ids: list[int] = self._tokenizer(text)["input_ids"]
            return ids
        return token_ids(self._tokenizer, text)

    def _arguments(self, sampling: Sampling) -> dict[str, Any]:
        """Return the arguments of generate; the drawing itself is done by our own processors over a greedy search."""
        stops = {"stop_strings": list(sampling.stop), "tokenizer": self._tokenizer} if sampling.stop else {}
        return {
            "max_new_tokens": sampling.max_new_tokens,
            "do_sample": False,
            "num_beams": 1,
            "temperature": None,
            "top_p": None,
            "top_k": None,
            "repetition_penalty": sampling.repetition_penalty,
            "pad_token_id": self._tokenizer.pad_token_id,
            **stops,
        }

    def _completion(self, row: list[int], prompt_tokens: int, sampling: Sampling, first_token_ms: int) -> Completion:
        ends = _end_ids(self._model)
        # A decoder's first token only says that it begins. What lies beyond the model's context is noise.
        tokens = row[1:] if self._is_seq2seq else row[: self._context - prompt_tokens if self._context else None]
        length = next((place + 1 for place, token in enumerate(tokens) if token in ends), len(tokens))
        text = self._tokenizer.decode(tokens[:length], skip_special_tokens=True)
        cut = min((place for stop in sampling.stop if (place := text.find(stop)) >= 0), default=None)
        has_ended = cut is not None or (length > 0 and tokens[length - 1] in ends)
        return Completion(
            text=text if cut is None else text[:cut],
            prompt_tokens=prompt_tokens,
            completion_tokens=_count(tokens[:length], self._tokenizer.pad_token_id, ends),
            finish_reason="stop" if has_ended else "length",
            first_token_ms=first_token_ms,
        )


@dataclass
class Watch:
    """Called after every token: notes when the first one was there, and ends the batch when the worker must stop."""

    torch: Any
    stop: threading.Event
    first_at: float = field(default=0.0)

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        self.first_at = self.first_at or time.monotonic()
        return self.torch.full((input_ids.shape[0],), self.stop.is_set(), dtype=bool, device=input_ids.device)


def _batches(
    able: Sequence[int], requests: Sequence[Request], prompts: Sequence[Sequence[int]], size: int
) -> Iterator[list[int]]:
    """Group what is sampled alike, longest prompts first: little padding, and what does not fit shows at once."""
    by_sampling: dict[Sampling, list[int]] = {}
    for index in able:
        by_sampling.setdefault(requests[index].sampling, []).append(index)
    for indices in by_sampling.values():
        ordered = sorted(indices, key=lambda index: -len(prompts[index]))
        yield from (ordered[start : start + size] for start in range(0, len(ordered), size))


def _count(tokens: Sequence[int], pad: int, ends: set[int]) -> int:
    """Count tokens without the padding behind a text that a stop string ended."""
    length = len(tokens)
    while length and tokens[length - 1] == pad and pad not in ends:
        length -= 1
    return length


def _end_ids(model: Any) -> set[int]:
    ids = model.generation_config.eos_token_id
    return set(ids) if isinstance(ids, list) else {ids}


def _batch_size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise EngineError(f"The option batch_size of transformers must be a whole number from 1, not {value!r}.")
    return value


def _dtype(torch: Any, name: Any) -> Any:
    dtype = getattr(torch, str(name), None)
    if not isinstance(dtype, torch.dtype):
        raise EngineError(f"There is no dtype {name!r}: choose float32, bfloat16 or float16.")
    return dtype


def _from_hub(torch: Any, kind: Any, spec: ModelSpec, **options: Any) -> Any:
    try:
        return kind.from_pretrained(spec.source, **options)
    except (torch.OutOfMemoryError, MemoryError) as problem:
        raise EngineError(_does_not_fit(spec, options.get("dtype"))) from problem
    except Exception as problem:
        # Whatever the libraries below raise: a damaged file, a missing package, no network, no disk.
        reason = next(iter(str(problem).strip().splitlines()), "") or type(problem).__name__
        raise EngineError(
            f"transformers could not load {spec.source}: {reason} Check the name, the files, the access and the free "
            "disk."
        ) from problem


def _to_device(torch: Any, model: Any, device: str, spec: ModelSpec) -> Any:
    try:
        return model.to(device)
    except torch.OutOfMemoryError as problem:
        raise EngineError(_does_not_fit(spec, device)) from problem
    except (RuntimeError, AssertionError) as problem:
        raise EngineError(f"There is no device {device!r} here: choose cpu or cuda.") from problem


def _does_not_fit(spec: ModelSpec, where: Any) -> str:
    return f"{spec.source} does not fit into the memory ({where}): choose a smaller model, bfloat16, or a larger GPU."


def _device_name(torch: Any, device: str) -> str:
    return str(torch.cuda.get_device_name(device)) if str(device).startswith("cuda") else str(device)
