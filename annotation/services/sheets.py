"""What every comparison of a frozen study asks: read once per process, for it cannot change."""

from functools import lru_cache
from typing import NamedTuple

from annotation.allocation import criteria_order
from annotation.answers import AnswerRules
from annotation.checks import CheckKind, Checks
from annotation.models import Study


class Question(NamedTuple):
    """One criterion as the page shows it."""

    id: int
    key: str
    name: str
    question: str
    definition: str


class Sheet(NamedTuple):
    """The questions and the answers that a study allows."""

    questions: tuple[Question, ...]
    rules: AnswerRules
    is_shuffled: bool
    checks: Checks = Checks()
    minimum_seconds: int = 0

    @property
    def criterion_ids(self) -> list[int]:
        return [question.id for question in self.questions]

    def for_annotator(self, seed: int) -> list[Question]:
        """Return the questions in the order that the annotator with this seed sees throughout the study."""
        if not self.is_shuffled:
            return list(self.questions)
        by_key = {question.key: question for question in self.questions}
        return [by_key[key] for key in criteria_order(sorted(by_key), seed=seed)]


def read_sheet(study_id: int) -> Sheet:
    """Read the sheet of any study, a draft included."""
    study = Study.objects.get(pk=study_id)
    rows = study.criteria.values_list("id", "key", "name", "question", "definition")
    rules = AnswerRules(study.scale, study.offers_both_bad, study.reason_from_strength)
    questions = tuple(Question(*row) for row in rows)
    return Sheet(questions, rules, study.shuffles_criteria, checks_of(study), study.minimum_seconds)


def checks_of(study: Study) -> Checks:
    """Return how often checks, gold and repeated comparisons come in a study."""
    kinds = tuple(kind for kind in CheckKind if study.check_kinds in {"both", kind})
    return Checks(study.check_every or 0, kinds, study.gold_every or 0, study.repeat_every or 0)


@lru_cache(maxsize=256)
def frozen_sheet(study_id: int, sha256: str) -> Sheet:
    """Return the sheet of a launched study. The hash is part of the key, so that no other study's sheet is met."""
    return read_sheet(study_id)
