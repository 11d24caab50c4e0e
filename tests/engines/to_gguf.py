"""The tiny model as a GGUF file, so that llama.cpp writes with the same weights as the other engines."""

import json
from pathlib import Path

import gguf
import numpy
import transformers
from safetensors.numpy import load_file

# Names of a Llama's parts in safetensors, and in GGUF.
WHOLE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(source: Path, target: Path) -> None:
    """Write the Llama in `source` as float32."""
    config = json.loads((source / "config.json").read_text())
    writer = gguf.GGUFWriter(target, "llama")
    _describe(writer, config)
    _add_vocabulary(writer, source)
    for name, weight in load_file(source / "model.safetensors").items():
        writer.add_tensor(_name(name), _turned(name, weight, config).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, config: dict) -> None:
    writer.add_name("tiny")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config["vocab_size"])


def _add_vocabulary(writer: gguf.GGUFWriter, source: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    special = set(tokenizer.all_special_ids) | {
        number for number, token in enumerate(tokens) if token.startswith("<|") and token.endswith("|>")
    }
    kinds = [gguf.TokenType.CONTROL if number in special else gguf.TokenType.NORMAL for number in range(len(tokens))]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _name(name: str) -> str:
    if name in WHOLE:
        return WHOLE[name]
    _, _, block, part = name.split(".", 3)
    return f"blk.{block}.{BLOCK[part.removesuffix('.weight')]}.weight"


def _turned(name: str, weight: numpy.ndarray, config: dict) -> numpy.ndarray:
    """Queries and keys stand in another order: llama.cpp turns neighbouring pairs, the other engines halves."""
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    for part, count in heads.items():
        if part in name:
            split = weight.reshape(count, 2, weight.shape[0] // count // 2, *weight.shape[1:])
            return split.swapaxes(1, 2).reshape(weight.shape)
    return weight
