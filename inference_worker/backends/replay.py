"""Answers from a file: for tests, and for systems whose responses were made elsewhere.

The source is a JSONL file. Each line has `text` and may have `prompt_sha256` (answers that prompt alone), `contains`
(answers prompts that hold these words) and `finish_reason`. A line with neither key answers any prompt: which one, the
seed decides. A line may have `error` in place of `text`. The option `seconds_per_text` sets the pace.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference_worker.backends import Answer, Completion, Engine, EngineError, Failure, Request
from inference_worker.schema import ModelSpec

VERSION = "1"
FIELDS = frozenset({"text", "error", "prompt_sha256", "contains", "finish_reason"})


@dataclass(frozen=True)
class Line:
    """One recorded answer."""

    text: str = ""
    error: str = ""
    prompt_sha256: str = ""
    contains: str = ""
    finish_reason: str = "stop"


def load(spec: ModelSpec) -> "Replay":
    """Read the file. Raises EngineError with the line that does not fit."""
    path = Path(spec.source).expanduser()
    if not path.is_file():
        raise EngineError(f"There is no file {spec.source} to replay from: give the path of a JSONL file.")
    pace = spec.options.get("seconds_per_text", 0)
    if not isinstance(pace, int | float) or pace < 0:
        raise EngineError(f"The option seconds_per_text of replay must be a number from 0, not {pace!r}.")
    return Replay(path, read_lines(path), pace=float(pace))


def read_lines(path: Path) -> list[Line]:
    """Return the recorded answers. Raises EngineError with the line that does not fit."""
    numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    lines = [_line(text, f"{path.name}, line {number}") for number, text in numbered if text.strip()]
    if not lines:
        raise EngineError(f"{path.name} has no lines: nothing can be replayed from it.")
    return lines


class Replay:
    """Recorded answers, found by prompt."""

    def __init__(self, path: Path, lines: Sequence[Line], *, pace: float) -> None:
        self._name = path.name
        self._pace = pace
        self._by_prompt = {line.prompt_sha256: line for line in lines if line.prompt_sha256}
        self._by_words = [line for line in lines if line.contains and not line.prompt_sha256]
        self._for_any = [line for line in lines if not line.contains and not line.prompt_sha256]
        revision = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        self._engine = Engine("replay", VERSION, revision, device="file", is_reproducible=True)

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, requests: Sequence[Request], stop: threading.Event) -> Iterator[tuple[int, Answer]]:
        """Yield the recorded answers in order; see Backend."""
        for index, request in enumerate(requests):
            if stop.wait(self._pace) if self._pace else stop.is_set():
                return
            yield index, self._answer(request)

    def close(self) -> None:
        """Nothing to free."""

    def _answer(self, request: Request) -> Answer:
        line = self._find(request)
        if line is None:
            return Failure(f"{self._name} has no line for this prompt.")
        if line.error:
            return Failure(line.error)
        words = request.prompt.system.split() + request.prompt.user.split()
        return Completion(line.text, len(words), len(line.text.split()), line.finish_reason)

    def _find(self, request: Request) -> Line | None:
        exact = self._by_prompt.get(request.prompt.sha256())
        if exact:
            return exact
        for line in self._by_words:
            if line.contains in request.prompt.user:
                return line
        return self._for_any[request.seed % len(self._for_any)] if self._for_any else None


def _line(text: str, where: str) -> Line:
    try:
        values: Any = json.loads(text)
    except ValueError:
        raise EngineError(f"{where} is no JSON object.") from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise EngineError(f"{where} must be a JSON object of texts.")
    if unknown := set(values) - FIELDS:
        raise EngineError(f"{where} has the unknown field {sorted(unknown)[0]}: known are {', '.join(sorted(FIELDS))}.")
    if ("text" in values) == ("error" in values):
        raise EngineError(f"{where} must have either text or error.")
    return Line(**values)
