"""The 39 conversational skills of Thanos, and how its output is read: `<explanation> [RESULT SKILL] <skill>`."""

import difflib
import re
from enum import StrEnum

from inference_worker.schema import SKILLS, Thought

MARKER = "[RESULT SKILL]"

# Below this similarity (difflib's ratio, 0 to 1) two names have little more than letters in common.
NEAREST_CUTOFF = 0.6

_LABEL = re.compile(r"^\s*(?:###\s*)?Explanation:\s*", re.IGNORECASE)


class Outcome(StrEnum):
    """What became of a skill-of-mind when it was read."""

    OK = "ok"
    NO_MARKER = "no_marker"
    SEVERAL_MARKERS = "several_markers"
    EMPTY_PART = "empty_part"
    UNKNOWN_SKILL = "unknown_skill"
    TRUNCATED = "truncated"


def parse_skill_of_mind(text: str, *, finish_reason: str = "stop") -> Thought:
    """Read `<explanation> [RESULT SKILL] <skill>`; whatever is wrong is an outcome, never an exception.

    `finish_reason` "length" turns every incomplete reading into `truncated`. With several markers the parts
    around the first one are kept. A skill outside the taxonomy stays as written, next to the nearest known name.
    """
    if MARKER not in text:
        outcome = Outcome.TRUNCATED if finish_reason == "length" else Outcome.NO_MARKER
        return Thought(outcome, _explanation(text), "")
    before, *rest = text.split(MARKER)
    explanation, skill = _explanation(before), rest[0].strip()
    known = known_skill(skill)
    outcome = _outcome(explanation, skill, known, markers=len(rest), finish_reason=finish_reason)
    return Thought(outcome, explanation, known or skill, "" if known else nearest_skill(skill))


def parse_rationale(text: str, *, finish_reason: str = "stop") -> Thought:
    """Read an output that is all explanation and names no skill (DOCTOR)."""
    explanation = _explanation(text)
    if finish_reason == "length":
        return Thought(Outcome.TRUNCATED, explanation, "")
    return Thought(Outcome.OK if explanation else Outcome.EMPTY_PART, explanation, "")


def known_skill(name: str) -> str:
    """Return the taxonomy's spelling of a skill, "" if it has none; case, hyphens and punctuation do not count."""
    return _BY_KEY.get(_key(name), "")


def nearest_skill(name: str) -> str:
    """Return the known skill that a name most likely means, "" if none is near. Noted, never substituted."""
    key = _key(name)
    inside = [known for known in _BY_KEY if re.search(rf"\b{known}\b", key)]
    if inside:
        return _BY_KEY[min(inside, key=key.index)]
    near = difflib.get_close_matches(key, _BY_KEY, n=1, cutoff=NEAREST_CUTOFF)
    return _BY_KEY[near[0]] if near else ""


def _outcome(explanation: str, skill: str, known: str, *, markers: int, finish_reason: str) -> Outcome:
    if markers > 1:
        return Outcome.SEVERAL_MARKERS
    if explanation and known:
        return Outcome.OK
    if finish_reason == "length":
        return Outcome.TRUNCATED
    return Outcome.UNKNOWN_SKILL if explanation and skill else Outcome.EMPTY_PART


def _explanation(text: str) -> str:
    return _LABEL.sub("", text).strip()


def _key(name: str) -> str:
    return " ".join(re.findall(r"[a-z]+", name.casefold()))


_BY_KEY = {_key(skill): skill for skill in SKILLS}
