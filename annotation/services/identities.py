"""Who people are at their platform: hashed to find them, sealed to review them, erased when it is time."""

from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from annotation.errors import DuologueError
from annotation.models import Annotator, PlatformIdentity, Recruitment, Study
from annotation.platforms import Visitor
from annotation.platforms.sealing import BrokenSeal, Sealer
from annotation.services.actors import Actor
from annotation.services.trail import record


@lru_cache(maxsize=4)
def _sealer(key: str) -> Sealer:
    return Sealer(key)


def sealer() -> Sealer:
    """Return what hashes and seals with this site's key."""
    return _sealer(settings.IDENTITY_KEY)


def study_hash(study: Study, visitor: Visitor) -> str:
    """Return the hash that is the person's in this study alone; "" for somebody nobody knows."""
    return sealer().hash("person in study", visitor.platform, str(study.code), visitor.person) if visitor.person else ""


def person_hash(visitor: Visitor) -> str:
    """Return the hash that is the same in all studies of a platform. Only exclusion lists ask for it."""
    return sealer().hash("person", visitor.platform, visitor.person)


def submission_hash(platform: str, submission: str) -> str:
    """Return the hash by which the platform's events find a person; "" without a submission."""
    return sealer().hash("submission", platform, submission) if submission else ""


def find_enrolled(study: Study, visitor: Visitor) -> Annotator | None:
    """Return the annotator that this visitor already is in the study."""
    found = study_hash(study, visitor)
    return study.annotators.filter(platform_hash=found).first() if found else None


def is_excluded(study: Study, visitor: Visitor) -> bool:
    """Whether the visitor took part in one of the studies that rule it out."""
    if not visitor.person:
        return False
    ruled_out = Recruitment.not_if_took_part_in.through.objects.filter(recruitment__study=study).values("study")
    took_part = PlatformIdentity.objects.filter(annotator__study__in=ruled_out)
    return took_part.filter(person_hash=person_hash(visitor)).exists()


def keep_identity(annotator: Annotator, visitor: Visitor, *, now: datetime) -> PlatformIdentity:
    """Store who an annotator is at the platform."""
    return PlatformIdentity.objects.create(
        annotator=annotator,
        platform=visitor.platform,
        person_hash=person_hash(visitor),
        submission_hash=submission_hash(visitor.platform, visitor.submission),
        sealed_person=sealer().seal(visitor.person, now=now),
        sealed_submission=sealer().seal(visitor.submission, now=now) if visitor.submission else "",
    )


class SealedWithAnotherKey(DuologueError):
    user_message = (
        "This was sealed with another IDENTITY_KEY than the site has now, so it cannot be read. Start the site with "
        "the key of that time; the people who run the server should have a copy."
    )


def open_person(identity: PlatformIdentity) -> str:
    """Return the platform's id of a person; "" once it is erased. Raises: SealedWithAnotherKey."""
    return unseal(identity.sealed_person)


def open_submission(identity: PlatformIdentity) -> str:
    """Return the platform's id of a participation; "" once it is erased. Raises: SealedWithAnotherKey."""
    return unseal(identity.sealed_submission)


def unseal(sealed: str) -> str:
    """Return what was sealed for good; "" for nothing. Raises: SealedWithAnotherKey."""
    try:
        return sealer().open(sealed) if sealed else ""
    except BrokenSeal as broken:
        raise SealedWithAnotherKey() from broken


@transaction.atomic
def reveal(annotator: Annotator, reason: str, *, actor: Actor) -> str:
    """Return an annotator's id at the platform, and write down who looked and why; "" once it is erased.

    Raises: SealedWithAnotherKey.
    """
    identity = PlatformIdentity.objects.filter(annotator=annotator).first()
    record(annotator.study, "show id", actor=actor, annotator=annotator.pseudonym, reason=reason.strip())
    return open_person(identity) if identity else ""


def erase_ids(identities: QuerySet[PlatformIdentity], *, now: datetime) -> int:
    """Delete the readable ids and keep the hashes. Returns how many people it was."""
    return identities.filter(erased_at=None).update(sealed_person="", sealed_submission="", erased_at=now)
