"""What has outlived its purpose: readable ids of studies that were closed long ago, old events, links that ended."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from annotation.models import Invitation, PlatformEvent, PlatformIdentity, PlatformMessage, Study
from annotation.services.identities import erase_ids
from annotation.services.recruiting import recruitment_of
from annotation.services.trail import record
from annotation.states import StudyState

EVENTS_KEPT = timedelta(days=180)


class Due(NamedTuple):
    """What is to go of one study; counts of people, messages and links."""

    study: Study
    closed_days: int
    ids: int
    messages: int
    invitations: int


class Outlived(NamedTuple):
    """Everything that has outlived its purpose."""

    studies: list[Due]
    events: int


def apply_retention(*, now: datetime, is_dry: bool) -> Outlived:
    """Delete what is not needed any more, or only count it. Hashes stay: they keep one person from coming twice."""
    closed = Study.objects.filter(state=StudyState.CLOSED, closed_at__isnull=False).order_by("pk")
    studies = [due for study in closed if (due := _study(study, now=now, is_dry=is_dry))]
    events = PlatformEvent.objects.filter(received_at__lt=now - EVENTS_KEPT)
    count = events.count()
    if not is_dry:
        events.delete()
    return Outlived(studies, count)


@transaction.atomic
def _study(study: Study, *, now: datetime, is_dry: bool) -> Due | None:
    days = (now - (study.closed_at or now)).days
    if days < recruitment_of(study).ids_kept_days:
        return None
    ids, messages = _ids(study), PlatformMessage.objects.filter(identity__annotator__study=study)
    links = Invitation.objects.filter(study=study)
    due = Due(study, days, ids.count(), messages.count(), links.count())
    if not any(due[2:]):
        return None
    if not is_dry:
        erase_ids(ids, now=now)
        messages.delete()
        links.delete()
        record(study, "retention", ids=due.ids, messages=due.messages, invitations=due.invitations)
    return due


def _ids(study: Study) -> QuerySet[PlatformIdentity]:
    return PlatformIdentity.objects.filter(annotator__study=study, erased_at=None)
