"""The ledger: who and what does not count, since when and why. Nothing is left out without a reason or deleted."""

from datetime import datetime

from django.db import transaction

from annotation.models import Annotator, ProblemReport
from annotation.services.actors import Actor
from annotation.services.reasons import clean_reason
from annotation.services.trail import record


@transaction.atomic
def exclude_annotator(annotator: Annotator, reason: str, *, actor: Actor, now: datetime) -> None:
    """Take a person's judgements out of the results. Raises: NoReason, ReasonTooLong."""
    reason = clean_reason(reason)
    still = Annotator.objects.filter(pk=annotator.pk, excluded_at=None)
    if still.update(excluded_at=now, excluded_reason=reason):
        record(annotator.study, "exclude annotator", actor=actor, annotator=annotator.pseudonym, reason=reason)
    annotator.refresh_from_db(fields=["excluded_at", "excluded_reason"])


@transaction.atomic
def include_annotator(annotator: Annotator, reason: str, *, actor: Actor) -> None:
    """Take an exclusion back; the trail keeps both, with their reasons. Raises: NoReason, ReasonTooLong."""
    reason = clean_reason(reason)
    if Annotator.objects.filter(pk=annotator.pk).exclude(excluded_at=None).update(excluded_at=None, excluded_reason=""):
        record(annotator.study, "include annotator", actor=actor, annotator=annotator.pseudonym, reason=reason)
    annotator.refresh_from_db(fields=["excluded_at", "excluded_reason"])


@transaction.atomic
def resolve_report(report: ProblemReport, *, actor: Actor, now: datetime) -> None:
    """Mark a problem report as dealt with."""
    if ProblemReport.objects.filter(pk=report.pk, resolved_at=None).update(resolved_at=now):
        record(report.study, "resolve report", actor=actor, report=report.pk)
    report.refresh_from_db(fields=["resolved_at"])
