"""What researchers say in the datasheet of a study, where its records do not say it."""

from django.db import models
from django.db.models import Q

from annotation.models.study import Criterion, Study


class DatasheetAnswer(models.Model):
    """One question's answer: a choice, words of one's own, or both. It may change at any time: nobody is shown it."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="datasheet_answers")
    criterion = models.ForeignKey(
        Criterion, on_delete=models.CASCADE, null=True, blank=True, related_name="datasheet_answers"
    )
    number = models.CharField(max_length=10, help_text="Of the question, e.g. 3.2.2.")
    choice = models.CharField(max_length=30, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "criterion", "number"], nulls_distinct=False, name="one_answer_per_datasheet_question"
            ),
            models.CheckConstraint(condition=~Q(choice="", text=""), name="datasheet_answer_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of study {self.study_id}"
