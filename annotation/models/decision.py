"""What a researcher decided about a person's pay."""

from django.conf import settings
from django.db import models

from annotation.decisions import Decision
from annotation.models.annotator import Annotator


class PayDecision(models.Model):
    """One decision a person, made by somebody of the team; a later one replaces it until the platform is told."""

    annotator = models.OneToOneField(Annotator, on_delete=models.CASCADE, related_name="pay_decision")
    decision = models.CharField(max_length=10, choices=[(d, d.value) for d in Decision])
    message = models.TextField(blank=True)
    bonus = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.annotator}: {self.decision}"
