"""Comparisons with a known answer, as pages show them."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

from annotation.practice import LEFT, RIGHT
from annotation.services.faces import Pair
from annotation.services.flows import Exercise
from annotation.services.sheets import Question, Sheet


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


def answer_words(expected: str) -> str:
    """Say an expected answer as the page says it."""
    return {LEFT: _("Left"), RIGHT: _("Right")}.get(expected, _("About the same"))
