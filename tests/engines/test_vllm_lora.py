"""vLLM with a LoRA adapter. A file of its own: a process holds one engine of vLLM at a time."""

import json

import pytest
import torch
from safetensors.torch import save_file

from inference_worker.backends import EngineError
from tests.engines.asking import SMALL, ask, load, texts, thinking


def test_an_adapter_changes_what_is_written(tiny, tmp_path):
    adapter = make_adapter(tiny, tmp_path / "adapter")
    adapted = load("vllm", tiny, max_model_len=256, lora=str(adapter), lora_rank=8, **SMALL)
    requests = thinking(6)
    changed = texts(ask(adapted, requests))
    assert str(adapter) in adapted.engine.revision
    adapted.close()
    assert changed != texts(ask(load("transformers", tiny), requests))


def test_an_adapter_that_is_missing_stops_the_worker_at_the_start(tiny):
    with pytest.raises(EngineError, match="could not load the adapter /nowhere/adapter"):
        load("vllm", tiny, max_model_len=256, lora="/nowhere/adapter", **SMALL)


def make_adapter(tiny, target):
    """Write an untrained LoRA adapter, large enough to be seen."""
    config = json.loads((tiny / "config.json").read_text())
    size, rank = config["hidden_size"], 8
    torch.manual_seed(3)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(rank, size)
        weights[f"{name}.lora_B.weight"] = torch.randn(size, rank)
    target.mkdir()
    save_file(weights, target / "adapter_model.safetensors")
    described = {"peft_type": "LORA", "r": rank, "lora_alpha": 16, "target_modules": ["q_proj"], "bias": "none"}
    (target / "adapter_config.json").write_text(json.dumps(described))
    return target
