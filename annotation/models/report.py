"""Reports that were computed, kept until the judgements behind them change."""

from django.db import models

from annotation.models.study import Study


class StoredReport(models.Model):
    """The newest report of a study for one choice of filters."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="reports")
    filters_sha256 = models.CharField(max_length=64)
    fingerprint = models.CharField(
        max_length=200, blank=True, help_text="Names the judgements and settings it was computed from."
    )
    content = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why there is no report: a sentence for researchers.")
    seconds = models.FloatField(default=0, help_text="How long it took.")
    people = models.JSONField(default=dict, blank=True, help_text="Figures of every annotator, for the quality table.")
    computed_at = models.DateTimeField(null=True, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True, help_text="When the worker was asked for it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "filters_sha256"], name="one_report_per_filters")]

    def __str__(self) -> str:
        return f"Report on study {self.study_id} of {self.computed_at or 'no time yet'}"
