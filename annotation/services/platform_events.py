"""What platforms report about people: a place returned, a time that ran out. Each event counts once, in their order."""

from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from annotation.models import Annotator, PlatformEvent, PlatformIdentity
from annotation.platforms.webhooks import PlatformNews
from annotation.services.annotators import withdraw
from annotation.services.identities import submission_hash
from annotation.states import Exit

# What a submission's state means for the annotator's part. All other states leave it as it is.
_EXITS = {"RETURNED": Exit.RETURNED, "TIMED-OUT": Exit.TIMED_OUT, "TIMED_OUT": Exit.TIMED_OUT}


# An id is told once, also when the platform signs a second attempt anew; a signature counts once under any id.
_ONCE = ("platform_event_once", "platform_event_signed_once")


def take_event(platform: str, news: PlatformNews, *, now: datetime) -> bool:
    """Store an event and do what follows from it. Returns whether it is new; a copy changes nothing."""
    found = submission_hash(platform, news.submission)
    try:
        with transaction.atomic():
            PlatformEvent.objects.create(
                platform=platform,
                event=news.event,
                signature=news.signature,
                kind=news.kind,
                submission_hash=found,
                status=news.status,
                happened_at=news.at,
                received_at=now,
            )
            if found:
                _take_turns(found)
                _follow(found, news.status, at=news.at, now=now)
    except IntegrityError as error:
        if any(name in str(error) for name in _ONCE):
            return False
        raise
    return True


def _follow(found: str, status: str, *, at: datetime, now: datetime) -> None:
    """Note a submission's state, unless a later one is known, and free what its annotator holds if they are gone."""
    # Of two events of one moment the one that ends the part is the later: nobody returns and goes on.
    older = Q(status_at=None) | (Q(status_at__lte=at) if status in _EXITS else Q(status_at__lt=at))
    theirs = PlatformIdentity.objects.filter(submission_hash=found)
    if not theirs.filter(older).update(status=status, status_at=at):
        return
    if how := _EXITS.get(status):
        for annotator in Annotator.objects.filter(identity__submission_hash=found):
            withdraw(annotator.pk, now=now, how=how)


def catch_up(identity: PlatformIdentity, *, now: datetime) -> None:
    """Do what follows from the last event that came before its person consented."""
    if not identity.submission_hash:
        return
    with transaction.atomic():
        _take_turns(identity.submission_hash)
        events = list(PlatformEvent.objects.filter(submission_hash=identity.submission_hash))
        if events:
            last = max(events, key=lambda event: (event.happened_at, event.status in _EXITS))
            _follow(identity.submission_hash, last.status, at=last.happened_at, now=now)


def _take_turns(found: str) -> None:
    """Wait for whoever deals with this submission, until the transaction ends.

    An event that arrives while its person consents sees no person yet, and they would not see the event.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(found[:15], 16)])
