"""What may be answered to a comparison, and what is stored of it. Pure: no Django.

A choice is a lean on the screen: negative = left is better, 0 = about the same, positive = right is better; or "both
are bad". The page sends the choice's `value`; nothing is taken on trust.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from annotation.pairing import in_agents_frame, on_screen, winner
from annotation.states import Outcome, Side

BOTH_BAD = "both_bad"
REASON_LIMIT = 2000
"""The longest reason that is stored, in characters."""

_STEPS = {"two": 1, "three": 1, "five": 2, "seven": 3}
_GRADED = {"five", "seven"}


@dataclass(frozen=True)
class AnswerRules:
    """What a study lets annotators answer; `scale` is one of two, three, five, seven."""

    scale: str
    offers_both_bad: bool = False
    reason_from_strength: int | None = None

    def values(self) -> list[str]:
        """Return the values of one criterion's choices in screen order, left to right, "both bad" last."""
        steps = _STEPS[self.scale]
        leans = [str(lean) for lean in range(-steps, steps + 1) if lean or self.scale != "two"]
        return [*leans, BOTH_BAD] if self.offers_both_bad else leans

    @property
    def asks_reason(self) -> bool:
        return self.reason_from_strength is not None

    def needs_reason(self, value: str) -> bool:
        """Say whether this choice is strong enough that the study requires a reason."""
        return bool(self.reason_from_strength) and strength(value) >= (self.reason_from_strength or 0)


class Answer(NamedTuple):
    """One criterion's choice as the page sent it."""

    value: str
    reason: str = ""


class Problem(StrEnum):
    """Why an answer is not taken."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    REASON_NEEDED = "reason_needed"
    REASON_TOO_LONG = "reason_too_long"


class Verdict(NamedTuple):
    """One judgement in the agents' frame; `grade` is None on a scale without grades."""

    criterion_id: int
    outcome: Outcome
    grade: int | None
    reason: str


def strength(value: str) -> int:
    """Return how far a choice leans to either side: 0 for "about the same" and for "both are bad"."""
    return 0 if value == BOTH_BAD else abs(int(value))


def find_problems[K](answers: Mapping[K, Answer], criteria: Iterable[K], rules: AnswerRules) -> dict[K, Problem]:
    """Return the first problem of each criterion that has one; empty when everything may be stored."""
    found = {key: _problem(answers.get(key), rules) for key in criteria}
    return {key: problem for key, problem in found.items() if problem}


def _problem(answer: Answer | None, rules: AnswerRules) -> Problem | None:
    if answer is None or not answer.value:
        return Problem.MISSING
    if answer.value not in rules.values():
        return Problem.UNKNOWN
    if len(answer.reason) > REASON_LIMIT:
        return Problem.REASON_TOO_LONG
    if rules.needs_reason(answer.value) and not answer.reason.strip():
        return Problem.REASON_NEEDED
    return None


def as_verdicts(answers: Mapping[int, Answer], treatment_side: Side, rules: AnswerRules) -> list[Verdict]:
    """Turn valid answers, given with the treatment on this side, into judgements in the agents' frame."""
    return [_verdict(criterion, answer, treatment_side, rules) for criterion, answer in answers.items()]


def _verdict(criterion: int, answer: Answer, treatment_side: Side, rules: AnswerRules) -> Verdict:
    reason = answer.reason.strip() if rules.asks_reason else ""
    if answer.value == BOTH_BAD:
        return Verdict(criterion, Outcome.BOTH_BAD, None, reason)
    grade = in_agents_frame(int(answer.value), treatment_side)
    return Verdict(criterion, winner(grade), grade if rules.scale in _GRADED else None, reason)


def as_answer(verdict: Verdict, treatment_side: Side) -> Answer:
    """The way back of `as_verdicts`: what the page shows as chosen when an answer is corrected."""
    if verdict.outcome == Outcome.BOTH_BAD:
        return Answer(BOTH_BAD, verdict.reason)
    plain = {Outcome.TREATMENT: 1, Outcome.TIE: 0, Outcome.BASELINE: -1}[verdict.outcome]
    grade = plain if verdict.grade is None else verdict.grade
    return Answer(str(on_screen(grade, treatment_side)), verdict.reason)
