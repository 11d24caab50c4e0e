"""From a prompt to token ids by the model's own chat template: one way for all engines that hold a tokenizer."""

from collections.abc import Sequence
from typing import Any

from inference_worker.backends import EngineError
from inference_worker.prompts import TEMPLATE_DAY, Prompt


def require_chat_template(tokenizer: Any, source: str, *, given: str = "") -> None:
    """Let the tokenizer use the template that was given, if so. Raises EngineError where there is none that works."""
    if given:
        tokenizer.chat_template = given
    if not tokenizer.chat_template:
        raise EngineError(
            f"{source} has no chat template, so nobody knows how to talk to it: choose an instruct model, or give "
            "the form it was tuned on as the option chat_template."
        )
    try:
        chat_text(tokenizer, Prompt("Be kind.", "Hello."))
    except Exception as problem:
        raise EngineError(
            f"The chat template of {source} cannot be used: {problem}. Give another one as the option chat_template."
        ) from problem


def chat_text(tokenizer: Any, prompt: Prompt) -> str:
    """Return what the model reads, up to the place where its answer goes on.

    Some templates know no system role and say so by an error; the system text then stands before the user's.
    """
    try:
        text = _template(tokenizer, prompt)
    except Exception:
        if not prompt.system:
            raise
        text = _template(tokenizer, Prompt("", f"{prompt.system}\n\n{prompt.user}"))
    return text + prompt.start


def plain_text(prompt: Prompt) -> str:
    """Return the prompt for a model that does not chat: system, user and the begun answer, one after the other."""
    return "\n\n".join(part for part in (prompt.system, prompt.user, prompt.start) if part)


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Return the ids of a text in which the template has already put the special tokens."""
    return token_ids_of(tokenizer, [text])[0]


def token_ids_of(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Return the ids of many such texts; other threads go on meanwhile, where the tokenizer is a fast one."""
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
    return ids


def _template(tokenizer: Any, prompt: Prompt) -> str:
    template = tokenizer.chat_template
    text: str = tokenizer.apply_chat_template(
        Prompt(prompt.system, prompt.user).messages(),
        # Named anew: vLLM keeps a pool of tokenizers, and one that is set on the pool is unknown to those in it. Of
        # several templates (no text) the library chooses.
        chat_template=template if isinstance(template, str) else None,
        tokenize=False,
        add_generation_prompt=True,
        strftime_now=TEMPLATE_DAY.strftime,
    )
    return text
