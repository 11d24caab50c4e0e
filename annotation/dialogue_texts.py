"""A dialogue as text that a model is trained on or a person reads: plain, or as the messages of a chat. Pure."""

from collections.abc import Sequence
from typing import NamedTuple


class Context(NamedTuple):
    """What stands before a response. `turns` are {"speaker", "text"}, oldest first."""

    social_context: str
    turns: Sequence[dict[str, str]]
    next_speaker: str


def as_lines(context: Context) -> str:
    """The turns as `Speaker: text`, one after the other."""
    return "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in context.turns)


def as_prompt(context: Context) -> str:
    """The social context, an empty line, the turns, and the name of whoever speaks next with a colon."""
    parts = [context.social_context, "\n".join([*filter(None, [as_lines(context)]), f"{context.next_speaker}:"])]
    return "\n\n".join(filter(None, parts))


def as_messages(context: Context) -> list[dict[str, str]]:
    """The social context as `system`; turns of whoever speaks next are `assistant`, all others `user`.

    Turns of one role that follow each other become one message, for chat templates want the roles to take turns. Where
    more than two people speak, the others' turns keep their names.
    """
    others = {turn["speaker"] for turn in context.turns} - {context.next_speaker}
    messages = [_message("system", context.social_context)] if context.social_context else []
    for turn in context.turns:
        is_own = turn["speaker"] == context.next_speaker
        text = f"{turn['speaker']}: {turn['text']}" if len(others) > 1 and not is_own else turn["text"]
        role = "assistant" if is_own else "user"
        if messages and messages[-1]["role"] == role:
            text = f"{messages.pop()['content']}\n{text}"
        messages.append(_message(role, text))
    return messages


def as_answer(text: str) -> list[dict[str, str]]:
    """A response as the message that follows."""
    return [_message("assistant", text)]


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}
