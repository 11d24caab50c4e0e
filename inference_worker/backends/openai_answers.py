"""Read the answer of an OpenAI-compatible endpoint, whole or as a stream of events, within a time limit."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from inference_worker.backends import Answer, Completion, Failure

DONE = "[DONE]"
NO_COMPLETION = "sent an answer that is no chat completion"


@dataclass(frozen=True)
class Patience:
    """How long an answer may take from now on, however slowly it trickles in, and whether anybody still wants it."""

    until: float
    stop: threading.Event

    def check(self) -> None:
        """Raises httpx.ReadTimeout where it is over."""
        if self.stop.is_set() or time.monotonic() > self.until:
            raise httpx.ReadTimeout("The answer took too long.")


def read(response: httpx.Response, patience: Patience) -> str:
    """Return the body of an answer. Raises httpx.TransportError."""
    parts = []
    for part in response.iter_bytes():
        patience.check()
        parts.append(part)
    return b"".join(parts).decode(errors="replace")


def whole(name: str, body: str) -> Answer:
    """Return the completion that a body holds; `name` is that of the endpoint."""
    try:
        found = json.loads(body)
        choice, usage = found["choices"][0], found.get("usage") or {}
        text = choice["message"].get("content") or ""
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Failure(f"{name} {NO_COMPLETION}.", can_retry=True)
    return _completion(text, choice.get("finish_reason"), usage, first_token_ms=0)


def streamed(name: str, response: httpx.Response, patience: Patience, *, started: float) -> Answer:
    """Return the completion that comes as server-sent events. Raises httpx.TransportError.

    `started` is when the text was asked for, by the monotonic clock.
    """
    stream = _Stream()
    try:
        for line in _lines(response, patience):
            data = line.removeprefix("data:").strip()
            if line.startswith("data:") and data != DONE:
                stream.take(json.loads(data))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Failure(f"{name} {NO_COMPLETION}.", can_retry=True)
    if stream.error:
        return Failure(f"{name} broke off: {stream.error}", can_retry=True)
    if not stream.finish_reason:
        return Failure(f"{name} {NO_COMPLETION}.", can_retry=True)
    first = round((stream.first_token_at - started) * 1000) if stream.first_token_at else 0
    return _completion("".join(stream.text), stream.finish_reason, stream.usage, first_token_ms=first)


@dataclass
class _Stream:
    """What has come so far."""

    text: list[str] = field(default_factory=list)
    finish_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    first_token_at: float = 0.0

    def take(self, event: Any) -> None:
        if event.get("error"):
            self.error = str(event["error"])[:200]
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices") or ():
            text = choice["delta"].get("content") or ""
            if text and not self.first_token_at:
                self.first_token_at = time.monotonic()
            self.text.append(text)
            self.finish_reason = choice.get("finish_reason") or self.finish_reason


def _lines(response: httpx.Response, patience: Patience) -> Iterator[str]:
    for line in response.iter_lines():
        patience.check()
        yield line


def _completion(text: str, finish_reason: Any, usage: dict[str, Any], *, first_token_ms: int) -> Completion:
    return Completion(
        text=text,
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
        finish_reason="length" if finish_reason == "length" else "stop",
        first_token_ms=first_token_ms,
    )
