"""What people decided, and the trail of what was done to a study."""

from django.conf import settings
from django.db import models

from annotation.models.annotator import Assignment
from annotation.models.study import Criterion, Study
from annotation.states import Outcome, Side


class Judgement(models.Model):
    """One criterion's outcome in the agents' frame, with the side on which the treatment was shown."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="judgements", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="judgements", db_index=False)
    outcome = models.CharField(max_length=10, choices=[(o, o.value) for o in Outcome])
    grade = models.SmallIntegerField(
        null=True,
        blank=True,
        help_text="Graded scales: negative = baseline better, 0 = the same, positive = treatment better.",
    )
    treatment_side = models.CharField(max_length=5, choices=[(s, s.value) for s in Side])
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "criterion"], name="one_judgement_per_criterion"),
            models.CheckConstraint(condition=models.Q(outcome__in=[o.value for o in Outcome]), name="outcome_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.outcome}"


class Event(models.Model):
    """Append-only: what changed a study, who did it and when."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="events")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    verb = models.CharField(max_length=60)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d %H:%M}"
