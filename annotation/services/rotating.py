"""Another IDENTITY_KEY: what the old one opens is sealed and hashed with the one that the site has now."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from annotation.errors import DuologueError
from annotation.models import Annotator, PlatformEvent, PlatformIdentity, Recruitment
from annotation.platforms import Visitor
from annotation.platforms.sealing import BrokenSeal, Sealer
from annotation.services.identities import person_hash, sealer, study_hash, submission_hash


class NeitherKey(DuologueError):
    """Something opens with neither key; nothing has been changed."""


class Rotated(NamedTuple):
    """How many people and credit tokens have the new key now, and how many people's hashes keep the old one."""

    people: int
    tokens: int
    erased: int


@transaction.atomic
def rotate(old: str, *, now: datetime) -> Rotated:
    """Move everything from the old key to the site's. What has the new key is left alone, so it may be done twice.

    Whose ids are erased keeps hashes of the old key, for nobody knows what was hashed. Raises: NeitherKey.
    """
    before = Sealer(old)
    people = 0
    kept = PlatformIdentity.objects.exclude(sealed_person="").select_related("annotator__study")
    for identity in kept.select_for_update(of=("self",)).iterator():
        people += _move(identity, before, now=now)
    tokens = 0
    for recruitment in Recruitment.objects.exclude(sealed_credit_token="").select_for_update():
        if token := _opened(recruitment.sealed_credit_token, before, f"The credit token of “{recruitment.study}”"):
            sealed = sealer().seal(token, now=now)
            tokens += Recruitment.objects.filter(pk=recruitment.pk).update(sealed_credit_token=sealed)
    return Rotated(people, tokens, PlatformIdentity.objects.filter(sealed_person="").count())


def _move(identity: PlatformIdentity, before: Sealer, *, now: datetime) -> bool:
    """Seal and hash one person anew. Returns whether they still had the old key."""
    person = _opened(identity.sealed_person, before, f"The id of {identity.annotator}")
    if person is None:
        return False
    submission = ""
    if identity.sealed_submission:
        submission = _opened(identity.sealed_submission, before, f"The submission of {identity.annotator}") or ""
    visitor = Visitor(identity.platform, person, submission)
    hashed = submission_hash(identity.platform, submission)
    if identity.submission_hash:
        PlatformEvent.objects.filter(submission_hash=identity.submission_hash).update(submission_hash=hashed)
    PlatformIdentity.objects.filter(pk=identity.pk).update(
        person_hash=person_hash(visitor),
        submission_hash=hashed,
        sealed_person=sealer().seal(person, now=now),
        sealed_submission=sealer().seal(submission, now=now) if submission else "",
    )
    annotator = identity.annotator
    found = study_hash(annotator.study, visitor)
    Annotator.objects.filter(pk=annotator.pk).update(platform_hash=found)
    return True


def _opened(sealed: str, before: Sealer, what: str) -> str | None:
    """Return what the old key opens; None for what has the new one already. Raises: NeitherKey."""
    try:
        return before.open(sealed)
    except BrokenSeal:
        pass
    try:
        sealer().open(sealed)
    except BrokenSeal as broken:
        raise NeitherKey(
            f"{what} opens neither with the old key nor with the one that the site has now. Nothing has been changed: "
            "look for the key of that time."
        ) from broken
    return None
