"""What stands in the way of a launch in the steps around the main part, in sentences."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError

from annotation.models import Practice, Scale, Study
from annotation.practice import SAME
from annotation.services.spoken import spoken
from annotation.states import Outcome


def step_problems(study: Study) -> list[str]:
    """Return, in sentences, what is wrong with practice, questions and their rules; empty when nothing is."""
    return [*_practice(study), *_training_rule(study), *_questions(study), *_checks(study), *_gold(study)]


def _practice(study: Study) -> Iterator[str]:
    keys = set(study.criteria.values_list("key", flat=True))
    for row in study.practice.all():
        name = f"{row.get_use_display().split(',')[0]} {row.position}"
        try:
            row.clean()
        except ValidationError as problem:
            yield f"{name}: {' '.join(problem.messages)}"
        if row.criterion and row.criterion not in keys:
            yield f"{name} asks the criterion “{row.criterion}”, which the study does not have."
        if row.expected == SAME and study.scale == "two":
            yield f"{name} expects “about the same”, which this study's scale does not offer."


def _training_rule(study: Study) -> Iterator[str]:
    count = study.practice.filter(use=Practice.Use.TRAINING).count()
    if study.training_needed and study.training_needed > count:
        yield f"{study.training_needed} training comparisons must be right, but there are only {count}."


def _questions(study: Study) -> Iterator[str]:
    for question in study.comprehension_questions.all():
        try:
            question.clean()
        except ValidationError as problem:
            yield f"The question “{question.text}”: {' '.join(problem.messages)}"


def _checks(study: Study) -> Iterator[str]:
    """Yield a problem where people would be told what to choose in a language that they may not read."""
    if study.check_every and study.language and spoken(study.language) is None:
        yield (
            f"Checks of attention are not translated into the study's language ({study.language}), so careful people "
            "may fail them. Leave that field empty, and use gold or repeated comparisons."
        )


def _gold(study: Study) -> Iterator[str]:
    if study.gold_every and not study.gold_answers.exists():
        yield "Gold comparisons are to be shown, but none has an expected answer: add some, or leave that field empty."
    if study.scale == Scale.TWO and study.gold_answers.filter(expected=Outcome.TIE).exists():
        yield "A gold comparison expects a tie, which this study's scale does not offer: nobody could answer it right."
