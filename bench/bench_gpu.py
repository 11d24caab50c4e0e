"""Which batch size suits a GPU: tokens a second of the transformers backend for models of random weights.

`python -m bench.bench_gpu --shapes llama-1b,llama-8b --batches 1,16,256 --json gpu.json`, with a Python that has torch
and transformers. Weights are random, since speed does not depend on what they say; they are written to a
temporary directory (16 GB for 8B) and read back by the backend as any model is. Without a GPU it stops and says so;
`--device cpu --shapes tiny` tries the script out and measures nothing that helps to plan.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference_worker.backends import Completion, Request
from inference_worker.backends.transformers import load
from inference_worker.prompts import Prompt
from inference_worker.schema import ModelSpec, Sampling

# Llama-3.2-1B and Llama-3.1-8B, as their configurations are published; the last one is for trying the script out.
SHAPES: dict[str, dict[str, Any]] = {
    "llama-1b": {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
        "tie_word_embeddings": True,
    },
    "llama-8b": {
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
        "tie_word_embeddings": False,
    },
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 400,
        "tie_word_embeddings": True,
    },
}
TEMPLATE = "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{% endfor %}<|assistant|>"
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


@dataclass(frozen=True)
class Run:
    """One batch size. Tokens are those written; `gigabytes` is the most that the GPU held, 0 on the CPU."""

    shape: str
    device: str
    batch: int
    tokens: int
    seconds: float
    gigabytes: float
    problem: str = ""

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds if self.seconds else 0.0


def make_model(target: Path, shape: dict[str, Any], *, device: str, dtype: str) -> None:
    """Write a Llama of random weights, with a tokenizer of single bytes and a chat template."""
    import torch
    import transformers

    config = transformers.LlamaConfig(**shape, max_position_embeddings=4096, eos_token_id=1, pad_token_id=0)
    torch.manual_seed(1)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    model.save_pretrained(target)
    _tokenizer(transformers).save_pretrained(target)


def _tokenizer(transformers: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokens = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bytewise = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    bytewise.add_special_tokens(SPECIAL)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bytewise, eos_token="<|end|>", pad_token="<|pad|>", chat_template=TEMPLATE
    )


def measure(shape: str, batches: list[int], options: argparse.Namespace) -> list[Run]:
    """Load one model and run every batch size, the smallest first; what does not fit is noted."""
    dtype = "bfloat16" if options.device.startswith("cuda") else "float32"
    with tempfile.TemporaryDirectory(prefix="duologue-gpu-") as folder:
        make_model(Path(folder), SHAPES[shape], device=options.device, dtype=dtype)
        spec = ModelSpec(shape, "transformers", folder, options={"device": options.device, "dtype": dtype})
        return [tell(run_batch(spec, shape, batch, options)) for batch in batches]


def run_batch(spec: ModelSpec, shape: str, batch: int, options: argparse.Namespace) -> Run:
    import torch

    on_gpu = options.device.startswith("cuda")
    backend = load(ModelSpec(spec.slug, spec.backend, spec.source, options={**spec.options, "batch_size": batch}))
    device = backend.engine.device
    try:
        list(backend.generate(requests(2, options), threading.Event()))
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        started = time.perf_counter()
        answers = [answer for _, answer in backend.generate(requests(batch, options), threading.Event())]
        seconds = time.perf_counter() - started
        tokens = sum(answer.completion_tokens for answer in answers if isinstance(answer, Completion))
        gigabytes = torch.cuda.max_memory_allocated() / 1e9 if on_gpu else 0.0
        return Run(shape, device, batch, tokens, seconds, round(gigabytes, 2))
    except torch.OutOfMemoryError:
        return Run(shape, device, batch, 0, 0.0, 0.0, "does not fit")
    finally:
        backend.close()


def requests(count: int, options: argparse.Namespace) -> list[Request]:
    """Return prompts of about the length of a dialogue, drawn with seeds of their own as in a study."""
    sampling = Sampling(temperature=0.9, max_new_tokens=options.new_tokens)
    words = "x" * options.prompt_tokens
    return [Request(Prompt("", f"{words} {number}"), sampling, seed=number) for number in range(count)]


def tell(run: Run) -> Run:
    figures = run.problem or f"{run.tokens_per_second:9.1f} tokens/s, {run.seconds:6.2f} s, {run.gigabytes:6.2f} GB"
    print(f"  {run.shape:>8} batch {run.batch:>4}: {figures}  ({run.device})", file=sys.stderr)
    return run


def best(runs: list[Run]) -> dict[str, int]:
    """Return the fastest batch size of each shape."""
    return {
        shape: max((run for run in runs if run.shape == shape), key=lambda run: run.tokens_per_second).batch
        for shape in dict.fromkeys(run.shape for run in runs)
    }


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_gpu", description=__doc__)
    parser.add_argument("--shapes", type=lambda text: text.split(","), default=["llama-1b", "llama-8b"])
    numbers = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=numbers)
    parser.add_argument("--prompt-tokens", type=int, default=400)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, help="write the runs and the best batch sizes to this file")
    return parser.parse_args(arguments)


def main() -> int:
    options = read_options()
    if unknown := set(options.shapes) - set(SHAPES):
        sys.stderr.write(f"There is no shape {sorted(unknown)[0]!r}: known are {', '.join(SHAPES)}.\n")
        return 2
    import torch

    if options.device.startswith("cuda") and not torch.cuda.is_available():
        sys.stderr.write("There is no GPU here, so there is nothing to measure; --device cpu tries the script out.\n")
        return 2
    runs = [run for shape in options.shapes for run in measure(shape, sorted(options.batches), options)]
    print(f"Fastest batch sizes: {best(runs)}")
    if options.json:
        rows = [{**asdict(run), "tokens_per_second": run.tokens_per_second} for run in runs]
        options.json.write_text(json.dumps({"best": best(runs), "runs": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
