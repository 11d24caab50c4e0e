"""Comparisons that are shown with their answer, and questions with a right option: how texts become them. Pure."""

import re
from collections.abc import Mapping

from annotation.answers import BOTH_BAD

LEFT, SAME, RIGHT = "left", "same", "right"

_TURN = re.compile(r"^([^:]{1,60}):\s*(\S.*)$")


def parse_turns(text: str) -> list[dict[str, str]]:
    """Read one turn a line, `Speaker: words`. Raises ValueError with a sentence that names the line."""
    turns = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found = _TURN.match(line.strip())
        if not found:
            raise ValueError(f"Line {number} is no turn: write it as “Speaker: what is said”.")
        turns.append({"speaker": found[1].strip(), "text": found[2].strip()})
    if not turns:
        raise ValueError("Write at least one turn, as “Speaker: what is said”.")
    return turns


def is_as_expected(value: str, expected: str) -> bool:
    """Whether a choice on the study's scale says what was expected: left, same or right, however strongly."""
    if value == BOTH_BAD:
        return False
    lean = int(value)
    return {LEFT: lean < 0, SAME: lean == 0, RIGHT: lean > 0}[expected]


def parse_options(text: str) -> list[str]:
    """Read one option a line; empty lines do not count."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def wrong_answers[K](given: Mapping[K, int | None], right: Mapping[K, int]) -> list[K]:
    """Return the questions that were not answered with their right option; an unanswered one is wrong."""
    return [key for key, number in right.items() if given.get(key) != number]
