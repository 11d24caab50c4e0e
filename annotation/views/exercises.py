"""Comparisons with a known answer, as pages show them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from annotation.practice import LEFT, RIGHT, is_as_expected
from annotation.services.faces import Pair
from annotation.services.flows import Exercise
from annotation.services.sheets import Question, Sheet
from annotation.views.screens import side_words


class Example(NamedTuple):
    """A worked example: the texts, what is asked, the answer in words, and why."""

    pair: Pair
    question: str
    answer: str
    feedback: str


def question_of(exercise: Exercise, sheet: Sheet) -> Question:
    """Return the criterion that an exercise asks: the one it names, or the study's first."""
    named = [question for question in sheet.questions if question.key == exercise.criterion]
    return (named or list(sheet.questions))[0]


def draw_examples(examples: Iterable[Exercise], sheet: Sheet) -> list[Example]:
    """Return the worked examples of the instructions."""
    return [
        Example(each.pair, question_of(each, sheet).question, answer_words(each.expected), each.feedback)
        for each in examples
    ]


def explain(exercise: Exercise, sheet: Sheet, value: str) -> dict[str, Any]:
    """Return what the page after an answer says: what was asked and chosen, what the researchers would choose, why."""
    return {
        "is_explained": True,
        "is_right": is_as_expected(value, exercise.expected),
        "question": question_of(exercise, sheet).question,
        "chosen": side_words(value),
        "expected": answer_words(exercise.expected),
        "feedback": exercise.feedback,
    }


def answer_words(expected: str) -> str:
    """Say an expected answer as the page says it."""
    return {LEFT: _("Left"), RIGHT: _("Right")}.get(expected, _("About the same"))
