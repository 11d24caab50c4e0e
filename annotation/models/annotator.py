"""People in a study: who they are to us (a code), what they hold, and what they reported."""

import uuid

from django.db import models
from django.db.models import Q

from annotation.models.study import Comparison, Slot, Study
from annotation.states import AssignmentState, Exit


class Annotator(models.Model):
    """A person in one study. `platform_hash` is a keyed hash: the platform's id itself is not stored here."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="annotators")
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    pseudonym = models.CharField(max_length=40, help_text="Names the person in exports, in this study alone.")
    platform = models.CharField(max_length=20, default="open")
    platform_hash = models.CharField(max_length=64, blank=True)
    batch = models.ForeignKey(
        "annotation.PlatformBatch", on_delete=models.RESTRICT, null=True, blank=True, related_name="annotators"
    )
    is_simulated = models.BooleanField(default=False)
    consent_version = models.CharField(max_length=60)
    consent_sha256 = models.CharField(max_length=64)
    consented_at = models.DateTimeField()
    instructed_at = models.DateTimeField(
        null=True, blank=True, help_text="When they had done every step before the main part."
    )
    message_seen = models.PositiveIntegerField(default=0, help_text="The last message to all that they were shown.")
    seed = models.PositiveIntegerField()
    left_balance = models.IntegerField(default=0, help_text="Judged with the treatment left, minus right.")
    submitted_count = models.PositiveIntegerField(default=0, help_text="Comparisons judged, surplus ones included.")
    last_submitted_id = models.BigIntegerField(
        null=True, blank=True, help_text="The assignment that can still be corrected."
    )
    last_dialogue_id = models.BigIntegerField(null=True, blank=True)
    exit = models.CharField(max_length=24, blank=True, choices=[(e, e.value) for e in Exit])
    exited_at = models.DateTimeField(null=True, blank=True)
    completion_code = models.CharField(max_length=40, blank=True)
    excluded_reason = models.CharField(max_length=300, blank=True)
    excluded_at = models.DateTimeField(null=True, blank=True)
    feedback = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "pseudonym"], name="pseudonym_once_per_study"),
            models.UniqueConstraint(
                fields=["study", "platform_hash"], condition=~Q(platform_hash=""), name="one_person_once_per_study"
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Assignment(models.Model):
    """A slot held by an annotator.

    No index on the lease: the claimed ones are few and have a partial index, and a heartbeat stays a cheap update.
    """

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="assignments")
    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="assignments")
    comparison = models.ForeignKey(Comparison, on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(
        max_length=10, choices=[(s, s.value) for s in AssignmentState], default=AssignmentState.CLAIMED
    )
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.PositiveIntegerField(help_text="1 for the annotator's first comparison.")
    claimed_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    corrected_at = models.DateTimeField(null=True, blank=True)
    draft = models.JSONField(default=dict, blank=True)
    active_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Time with the page in view, as the page says."
    )
    blurs = models.PositiveIntegerField(
        null=True, blank=True, help_text="How often the page lost focus, as the page says."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotator"],
                condition=Q(state=AssignmentState.CLAIMED),
                name="one_open_assignment_per_annotator",
            ),
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(state__in=[AssignmentState.CLAIMED, AssignmentState.SUBMITTED]),
                name="one_live_assignment_per_slot",
            ),
            models.UniqueConstraint(
                fields=["annotator", "comparison"],
                condition=Q(
                    state__in=[
                        AssignmentState.CLAIMED,
                        AssignmentState.SUBMITTED,
                        AssignmentState.SURPLUS,
                        AssignmentState.RELEASED,
                    ]
                ),
                name="one_judgement_per_person_and_comparison",
            ),
        ]

    def __str__(self) -> str:
        return str(self.code)


class ProblemReport(models.Model):
    """What an annotator says is wrong with a comparison."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="problem_reports")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="problem_reports")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.text[:60]
