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
# A response of 512 tokens has 3 kB, and as events 100 kB: an answer larger than this will never be one.
MOST_BYTES = 8 << 20
NO_COMPLETION = "sent an answer that is no chat completion"


@dataclass(frozen=True)
class Patience:
    """How long an answer may take from now on, however slowly it trickles in, and whether anybody still wants it."""

    until: float
    stop: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises httpx.ReadTimeout where it is over."""
        if self.stop.is_set() or time.monotonic() > self.until:
            raise httpx.ReadTimeout("The answer took too long.")


class Endless(ValueError):
    """An answer is larger than any answer can be."""

    def __str__(self) -> str:
        return f"sent an answer that has no end (more than {MOST_BYTES >> 20} MB)"


def read(response: httpx.Response, patience: Patience) -> str:
    """Return the body of an answer. Raises httpx.TransportError and Endless."""
    return b"".join(_parts(response, patience)).decode(errors="replace")


def _parts(response: httpx.Response, patience: Patience) -> Iterator[bytes]:
    size = 0
    for part in response.iter_bytes():
        patience.check()
        size += len(part)
        if size > MOST_BYTES:
            raise Endless
        yield part


def whole(name: str, body: str) -> Answer:
    """Return the completion that a body holds; `name` is that of the endpoint."""
    try:
        found = json.loads(body)
        if error := found.get("error"):
            return _broke_off(name, error)
        choice, usage = found["choices"][0], found.get("usage") or {}
        text = _text(choice["message"])
        return _completion(name, text, choice.get("finish_reason"), usage, first_token_ms=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Failure(f"{name} {NO_COMPLETION}.", can_retry=True)


def streamed(name: str, response: httpx.Response, patience: Patience, *, started: float) -> Answer:
    """Return the completion that comes as server-sent events. Raises httpx.TransportError.

    `started` is when the text was asked for, by the monotonic clock. A server that does not stream, or has only an
    error to tell, sends a body of JSON.
    """
    if "json" in response.headers.get("content-type", ""):
        return whole(name, read(response, patience))
    stream = _Stream()
    try:
        for line in _lines(response, patience):
            data = line.removeprefix("data:").strip()
            if line.startswith("data:") and data != DONE:
                stream.take(json.loads(data))
        if stream.error:
            return _broke_off(name, stream.error)
        if not stream.finish_reason:
            return Failure(f"{name} {NO_COMPLETION}.", can_retry=True)
        first = round((stream.first_token_at - started) * 1000) if stream.first_token_at else 0
        return _completion(name, "".join(stream.text), stream.finish_reason, stream.usage, first_token_ms=first)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Failure(f"{name} {NO_COMPLETION}.", can_retry=True)


@dataclass
class _Stream:
    """What has come so far."""

    text: list[str] = field(default_factory=list)
    finish_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    error: Any = None
    first_token_at: float = 0.0

    def take(self, event: Any) -> None:
        self.error = event.get("error") or self.error
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices") or ():
            text = _text(choice["delta"])
            if text and not self.first_token_at:
                self.first_token_at = time.monotonic()
            self.text.append(text)
            self.finish_reason = choice.get("finish_reason") or self.finish_reason


def _lines(response: httpx.Response, patience: Patience) -> Iterator[str]:
    """Yield lines. Patience is asked at every part, since a line may have no end."""
    rest = b""
    for part in _parts(response, patience):
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    yield rest.decode(errors="replace")


def _text(message: Any) -> str:
    text = message.get("content") or ""
    if not isinstance(text, str):
        raise TypeError
    return text


def _broke_off(name: str, error: Any) -> Failure:
    words = error.get("message") if isinstance(error, dict) else None
    return Failure(f"{name} broke off: {' '.join(str(words or error).split())[:200]}", can_retry=True)


def _completion(name: str, text: str, finish_reason: Any, usage: dict[str, Any], *, first_token_ms: int) -> Answer:
    if finish_reason == "content_filter":
        return Failure(f"{name} held the text back: its filter found something in it or in the dialogue.")
    return Completion(
        text=text,
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
        finish_reason="length" if finish_reason == "length" else "stop",
        first_token_ms=first_token_ms,
    )
