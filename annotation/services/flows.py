"""The way through a study: what its steps ask, where a person is on it, and what they did there."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import transaction

from annotation.flow import Flow, Progress, Step, attempts_left, failure, lead
from annotation.models import Practice, StepAttempt, Study
from annotation.practice import is_as_expected, parse_options, parse_turns, wrong_answers
from annotation.services import annotators
from annotation.services.annotators import Standing
from annotation.services.faces import Pair


class Exercise(NamedTuple):
    """A comparison with a known answer. `criterion` is a key; empty: the study's first."""

    pair: Pair
    criterion: str
    expected: str
    feedback: str


class Asked(NamedTuple):
    """A question with options, or with none where it is answered in words."""

    id: int
    text: str
    options: tuple[str, ...]
    is_required: bool = True


class Steps(NamedTuple):
    """All that the steps around the main part show, and, for the server alone, what is right there."""

    flow: Flow
    device: str
    examples: tuple[Exercise, ...]
    training: tuple[Exercise, ...]
    comprehension: tuple[Asked, ...]
    right_options: dict[int, int]
    hints: dict[int, str]
    closing: tuple[Asked, ...]


def read_steps(study: Study) -> Steps:
    """Read the steps of any study, a draft included."""
    practice = list(study.practice.all())
    examples = tuple(_exercise(row) for row in practice if row.use == Practice.Use.EXAMPLE)
    training = tuple(_exercise(row) for row in practice if row.use == Practice.Use.TRAINING)
    questions = list(study.comprehension_questions.all())
    last = study.closing_questions.all()
    closing = tuple(Asked(q.pk, q.text, tuple(parse_options(q.options)), q.is_required) for q in last)
    flow = Flow(
        checks_device=bool(study.device_check),
        has_instructions=study.has_instructions,
        comprehension=len(questions),
        attempts=study.comprehension_attempts,
        training=len(training),
        training_needed=study.training_needed,
        closing=len(closing),
    )
    return Steps(
        flow=flow,
        device=study.device_check,
        examples=examples,
        training=training,
        comprehension=tuple(Asked(q.pk, q.text, tuple(parse_options(q.options))) for q in questions),
        right_options={q.pk: q.right_option for q in questions},
        hints={q.pk: q.hint for q in questions},
        closing=closing,
    )


def _exercise(row: Practice) -> Exercise:
    pair = Pair(
        social_context=row.social_context,
        turns=parse_turns(row.turns),
        next_speaker=row.next_speaker,
        content_warning="",
        language="",
        left=row.left,
        right=row.right,
    )
    return Exercise(pair, row.criterion, row.expected, row.feedback)


@lru_cache(maxsize=256)
def frozen_steps(study_id: int, sha256: str) -> Steps:
    """Return the steps of a launched study: read once per process, for they cannot change."""
    return read_steps(Study.objects.get(pk=study_id))


def steps_of(standing: Standing) -> Steps:
    return frozen_steps(standing.study_id, standing.study_sha256)


def read_progress(standing: Standing, *, is_main_over: bool = False) -> Progress:
    """Read what a person has done around the main part."""
    rows = list(
        StepAttempt.objects.filter(annotator_id=standing.annotator_id)
        .order_by("number")
        .values_list("step", "is_right")
    )
    return Progress(
        passed=frozenset(Step(step) for step, _ in rows),
        comprehension=tuple(right for step, right in rows if step == Step.COMPREHENSION),
        training=tuple(right for step, right in rows if step == Step.TRAINING),
        exit=standing.exit,
        is_admitted=standing.is_instructed,
        is_main_over=is_main_over,
        judged=standing.submitted_count,
    )


def attempts_left_of(standing: Standing) -> int:
    """Return how often this person may still answer the comprehension questions."""
    return attempts_left(steps_of(standing).flow, read_progress(standing))


def where(standing: Standing, *, is_main_over: bool = False) -> Step:
    """Return the step at which a person belongs. `is_main_over`: there is nothing left for them to judge."""
    return lead(steps_of(standing).flow, read_progress(standing, is_main_over=is_main_over))


def go_on(standing: Standing, *, now: datetime) -> Step:
    """Take a person on from a page that only wanted to be read, and into the main part where nothing stands before it.

    Returns the step at which they are then.
    """
    flow, progress = steps_of(standing).flow, read_progress(standing)
    if lead(flow, progress) == Step.INSTRUCTIONS:
        _record(standing, Step.INSTRUCTIONS, now=now)
        progress = replace(progress, passed=progress.passed | {Step.INSTRUCTIONS})
    step = lead(flow, progress)
    if step == Step.MAIN:
        annotators.mark_instructed(standing.annotator_id, now=now)
    return step


def pass_device(standing: Standing, *, now: datetime) -> None:
    """Remember that the study works on this person's device."""
    _record(standing, Step.DEVICE, now=now)


def answer_comprehension(standing: Standing, given: Mapping[int, int | None], *, now: datetime) -> list[int]:
    """Grade one attempt at all questions. Returns the wrong ones; failing the last attempt ends the part."""
    steps = steps_of(standing)
    wrong = wrong_answers(given, steps.right_options)
    with transaction.atomic():
        number = len(read_progress(standing).comprehension) + 1
        _record(standing, Step.COMPREHENSION, number, is_right=not wrong, answers=given, now=now)
        _end_if_failed(standing, now=now)
    return wrong


def answer_training(standing: Standing, number: int, value: str, *, now: datetime) -> bool:
    """Grade the training comparison of this number (from 1), once; returns whether the first answer was as expected."""
    exercise = steps_of(standing).training[number - 1]
    is_right = is_as_expected(value, exercise.expected)
    with transaction.atomic():
        kept = _record(standing, Step.TRAINING, number, is_right=is_right, answers={"value": value}, now=now)
        _end_if_failed(standing, now=now)
    return kept.is_right


def find_training(standing: Standing, number: int) -> StepAttempt | None:
    """Return the answer to the training comparison of this number, if there is one."""
    return StepAttempt.objects.filter(annotator_id=standing.annotator_id, step=Step.TRAINING, number=number).first()


def answer_closing(standing: Standing, given: Mapping[int, str], *, now: datetime) -> None:
    """Keep the answers to the closing questions; the first ones stay."""
    _record(standing, Step.CLOSING, answers=given, now=now)


def _record(
    standing: Standing,
    step: Step,
    number: int = 1,
    *,
    is_right: bool = True,
    answers: Mapping[Any, Any] | None = None,
    now: datetime,
) -> StepAttempt:
    """Keep an attempt. Sent twice, the first one stays: the database allows one of each number."""
    attempt, _ = StepAttempt.objects.get_or_create(
        annotator_id=standing.annotator_id,
        step=step,
        number=number,
        defaults={"is_right": is_right, "answers": {str(k): v for k, v in (answers or {}).items()}, "at": now},
    )
    return attempt


def _end_if_failed(standing: Standing, *, now: datetime) -> None:
    """Let a person go who cannot go on; their place is free for somebody else."""
    how = failure(steps_of(standing).flow, read_progress(standing))
    if how is not None:
        annotators.withdraw(standing.annotator_id, now=now, how=how)
