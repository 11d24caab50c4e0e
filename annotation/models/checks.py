"""Answers that are known beforehand: what gold comparisons expect, and how checks of attention went."""

from django.db import models

from annotation.models.annotator import Annotator, Assignment
from annotation.models.study import Comparison, Criterion, Study
from annotation.states import Outcome


class GoldAnswer(models.Model):
    """What most careful people say of a comparison. It weights or excludes data; it never rejects a person."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="gold_answers")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="gold_answers")
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="gold_answers")
    expected = models.CharField(
        max_length=10,
        choices=[(Outcome.BASELINE, "baseline wins"), (Outcome.TIE, "tie"), (Outcome.TREATMENT, "treatment wins")],
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "criterion"], name="gold_answer_once")]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.expected}"


class CheckResult(models.Model):
    """The answer to the check that stood under a comparison. It has no part in the results."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="check_result")
    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="check_results")
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=40)
    answer = models.CharField(max_length=20)
    is_passed = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.name}: {self.answer}"
