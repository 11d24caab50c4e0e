"""An engine without anything around it: all prompts in one call of the library itself, timed.

Started by bench.bench_generate with the Python of the engine: `bare_engine.py KIND MODEL REQUESTS`, where REQUESTS is a
JSON file of messages, sampling and seeds. It says `ready`, then answers every line it reads with a line of JSON:
seconds, texts, tokens. `one-by-one` is transformers as the published way runs it, a text at a time, through `generate`.
"""

import json
import os
import sys
import time
from pathlib import Path

Counts = dict[str, float]


class Vllm:
    """`LLM.chat` with all conversations."""

    def __init__(self, model: str, requests: list[dict]) -> None:
        import vllm

        options = {"dtype": "float32", "enforce_eager": True, "gpu_memory_utilization": 0.1, "max_model_len": 512}
        # On the CPU vLLM breaks on seeds where a prompt is read in two steps (inference_worker/backends/vllm.py).
        self.llm = vllm.LLM(model=model, seed=0, enable_chunked_prefill=False, **options)
        self.messages = [request["messages"] for request in requests]
        self.sampling = [
            vllm.SamplingParams(
                temperature=each["temperature"], top_p=each["top_p"], max_tokens=each["max_tokens"], seed=each["seed"]
            )
            for each in requests
        ]

    def run(self) -> int:
        self.llm.reset_prefix_cache()
        answers = self.llm.chat(self.messages, self.sampling, use_tqdm=False)
        return sum(len(answer.outputs[0].token_ids) for answer in answers)


class LlamaCpp:
    """xllamacpp's server in this process, one slot; prompts in the order in which their beginnings can be kept."""

    def __init__(self, model: str, requests: list[dict]) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = model
        params.n_parallel, params.n_ctx, params.verbosity, params.cache_ram_mib = 1, 512, -1, 0
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        self.server = xllamacpp.Server(params)
        self.requests = sorted(requests, key=lambda request: request["messages"][-1]["content"])

    def run(self) -> int:
        return sum(map(self.answer, self.requests))

    def answer(self, request: dict) -> int:
        last: dict = {}

        def take(chunk: dict) -> bool:
            last.update(chunk)
            return False

        plain = {"top_k": 0, "min_p": 0.0, "cache_prompt": True, "id_slot": 0}
        self.server.handle_chat_completions({**request, **plain}, take)
        return last["usage"]["completion_tokens"]


class OneByOne:
    """transformers' `generate`, one text after the other."""

    def __init__(self, model: str, requests: list[dict]) -> None:
        import torch
        import transformers

        self.torch, self.requests = torch, requests
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()

    def run(self) -> int:
        return sum(map(self.answer, self.requests))

    def answer(self, request: dict) -> int:
        inputs = self.tokenizer.apply_chat_template(
            request["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        self.torch.manual_seed(request["seed"] % 2**63)
        with self.torch.inference_mode():
            output = self.model.generate(
                **inputs,
                do_sample=True,
                temperature=request["temperature"],
                top_p=request["top_p"],
                top_k=0,
                max_new_tokens=request["max_tokens"],
                pad_token_id=self.tokenizer.pad_token_id,
            )
        return int(output.shape[1] - inputs["input_ids"].shape[1])


KINDS = {"vllm": Vllm, "llamacpp": LlamaCpp, "one-by-one": OneByOne}


def main() -> None:
    kind, model, file = sys.argv[1:]
    requests = json.loads(Path(file).read_text())
    # Libraries write to standard output too; what we say goes to where it pointed at first.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    engine = KINDS[kind](model, requests)
    out.write("ready\n")
    for _ in sys.stdin:
        started = time.perf_counter()
        tokens = engine.run()
        found = {"seconds": time.perf_counter() - started, "texts": len(requests), "tokens": tokens}
        out.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
