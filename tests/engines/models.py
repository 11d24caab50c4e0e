"""Real models for the CPU: the packaged one converted to safetensors, and tiny Llamas trained here.

They are made once and kept in `.cache/engines`. `python -m tests.engines.models` makes the one of the benchmarks, which
writes texts as long as people read, as safetensors and as GGUF.
"""

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from inference_worker.schema import SKILLS
from inference_worker.weights import find_weights, sha256_of
from tests.engines.to_gguf import write_gguf

CACHE = Path(__file__).resolve().parent.parent.parent / ".cache" / "engines"
PACKAGED = "packaged:smollm2-135m-instruct"

# The form of ChatML, which the tiny model learns.
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
NAMES = ["Mina", "Jonas", "Ife", "Ruth", "Sam", "Lea"]
TOPICS = ["exam", "move", "oven", "train", "garden", "dog", "letter", "concert"]
FEELINGS = ["worried", "glad", "tired", "curious", "angry", "proud"]
THOUGHTS = [
    "It has been on their mind for some days now.",
    "I want them to feel that somebody listens before I say what I think.",
    "A question would let them tell the part that matters most.",
    "They have not asked for advice, so I keep mine for later.",
    "A small story of my own could show that they are not alone with it.",
    "I can name what went well and leave the rest to them.",
    "Between the lines they hope for a clear answer.",
    "It would be kind to slow down and to say it in plain words.",
]
STEPS, BATCH, LENGTH = 220, 16, 192
VERSION = "1"


def smollm2_directory() -> Path:
    """Return the packaged model as safetensors in float32."""
    weights = find_weights(PACKAGED)
    return _made(f"smollm2-{sha256_of(weights)[-12:]}", _convert)


def tiny_directory() -> Path:
    """Return the tiny model, trained for about a minute."""
    return _made(f"tiny-{VERSION}", partial(_train, example=_example))


def tiny_gguf() -> Path:
    """Return the tiny model for llama.cpp: the same weights."""
    return _gguf(tiny_directory())


def bench_directory() -> Path:
    """Return the model of the benchmarks, as tiny as the other."""
    return _made(f"bench-{VERSION}", partial(_train, example=_long_example))


def _gguf(source: Path) -> Path:
    target = source.with_suffix(".gguf")
    if not target.exists():
        part = target.with_suffix(".part")
        write_gguf(source, part)
        part.rename(target)
    return target


def _made(name: str, make) -> Path:
    target = CACHE / name
    if not (target / "config.json").exists():
        part = target.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        make(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    return target


def _convert(target: Path) -> None:
    weights = find_weights(PACKAGED)
    whole = transformers.GgufConfig(dequantize=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        weights.parent, gguf_file=weights.name, dtype=torch.float32, quantization_config=whole
    )
    model.save_pretrained(target)
    transformers.AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(target)


def _train(target: Path, *, example: Callable[[random.Random], str]) -> None:
    torch.manual_seed(7)
    draw = random.Random(7)
    tokenizer = _tokenizer([example(draw) for _ in range(2000)])
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|pad|>"),
    )
    model = transformers.LlamaForCausalLM(config)
    _fit(model, tokenizer, lambda: example(draw))
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def _fit(model, tokenizer, example: Callable[[], str]) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=STEPS)
    for _ in range(STEPS):
        texts = [example() for _ in range(BATCH)]
        batch = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=LENGTH)
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        loss = model(**batch, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def _tokenizer(texts: list[str]):
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1200, special_tokens=SPECIAL, initial_alphabet=alphabet)
    bpe.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|end|>", pad_token="<|pad|>", chat_template=TEMPLATE
    )


def _example(draw: random.Random) -> str:
    """Return one chat: a short dialogue, and a well-formed skill-of-mind that names its speaker and its topic."""
    other, topic, feeling = draw.choice(NAMES), draw.choice(TOPICS), draw.choice(FEELINGS)
    said = _said(draw, feeling, topic)
    asked = f"### Dialogue:\n{other}: {said}\n\n### Explanation: "
    thought = f"{other} is {feeling} about the {topic}, so I take care. [RESULT SKILL] {draw.choice(SKILLS)}"
    return f"<|user|>{asked}<|end|><|assistant|>{thought}<|end|>"


def _long_example(draw: random.Random) -> str:
    """Return one chat of three turns, and a skill-of-mind of several sentences about the last one."""
    people, last = draw.sample(NAMES, 2), (draw.choice(FEELINGS), draw.choice(TOPICS))
    spoken = [(draw.choice(FEELINGS), draw.choice(TOPICS)), (draw.choice(FEELINGS), draw.choice(TOPICS)), last]
    lines = [f"{people[turn % 2]}: {_said(draw, *each)}" for turn, each in enumerate(spoken)]
    thoughts = draw.sample(THOUGHTS, draw.randint(2, 5))
    thought = " ".join([f"{people[0]} is {last[0]} about the {last[1]}.", *thoughts])
    asked = "### Dialogue:\n" + "\n".join(lines) + "\n\n### Explanation: "
    return f"<|user|>{asked}<|end|><|assistant|>{thought} [RESULT SKILL] {draw.choice(SKILLS)}<|end|>"


def _said(draw: random.Random, feeling: str, topic: str) -> str:
    return draw.choice([f"I am {feeling} about the {topic}.", f"The {topic} makes me {feeling}."])


if __name__ == "__main__":
    _gguf(bench_directory())
