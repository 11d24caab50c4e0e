"""What a study's records say, gathered for its datasheet. Pure: no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CriterionFacts:
    """One question that annotators answer."""

    key: str
    name: str
    question: str
    definition: str


@dataclass(frozen=True)
class PeopleFacts:
    """How many annotators came how far. `exits` counts how their parts ended; platforms by name."""

    consented: int
    instructed: int
    judged: int
    completed: int
    excluded: int
    analysed: int
    simulated: int
    exits: Mapping[str, int]
    platforms: Mapping[str, int]


@dataclass(frozen=True)
class TimeFacts:
    """Seconds a comparison took: the middle one, and those that one in twenty stays below or goes beyond."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class TrainingFacts:
    """What stood before the first comparison: how many of each, the pass rules, and how many people met them."""

    examples: int
    questions: int
    attempts: int
    exercises: int
    exercises_needed: int | None
    checks_device: bool
    passed: Mapping[str, int]


@dataclass(frozen=True)
class CheckFacts:
    """Hidden checks: one after so many comparisons (None: never), and how often the answers were right."""

    attention_every: int | None
    gold_every: int | None
    repeat_every: int | None
    answered: int
    passed: int
    gold_answers: int


@dataclass(frozen=True)
class StudyFacts:
    """All that the automatic answers are made of.

    outputs: agent to the number of its responses that are judged · excluded: reason to number of comparisons ·
    kinds: kind of comparison to number · languages: of dialogues · choices: the answers in words, in screen order ·
    planned: the plan of before the launch in a sentence, or empty · report: figures, or None where there are none yet.
    """

    name: str
    title: str
    state: str
    is_rehearsal: bool
    frozen_sha256: str
    launched_at: str
    seed: int
    languages: Mapping[str, int]
    collections: tuple[str, ...]
    outputs: Mapping[str, int]
    notes: Mapping[str, str]
    dialogues: int
    dialogues_limit: int | None
    dialogues_available: int
    excluded: Mapping[str, int]
    released: int
    kinds: Mapping[str, int]
    planned: str
    training: TrainingFacts
    checks: CheckFacts
    k: int
    quota: int
    lease_minutes: int
    choices: tuple[str, ...]
    offers_both_bad: bool
    is_graded: bool
    shuffles_criteria: bool
    asks_reason: bool
    contact: str
    payment: str
    consent_version: str
    has_instructions: bool
    feedbacks: int
    problem_reports: int
    people: PeopleFacts
    times: TimeFacts | None
    criteria: tuple[CriterionFacts, ...]
    report: Mapping[str, Any] | None
