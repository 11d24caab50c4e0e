"""Personal invitations: made in numbers, sent by the researcher, each for one person until it ends or is revoked."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max

from annotation.errors import DuologueError
from annotation.models import Invitation, Study
from annotation.platforms import Visitor
from annotation.platforms.links import INVITATION_PARAMETER
from annotation.services.actors import Actor
from annotation.services.identities import study_hash
from annotation.services.sealed_tokens import invitation_token
from annotation.services.trail import record

MOST_AT_ONCE = 1000
LONGEST_DAYS = 365


class TooMany(DuologueError):
    user_message = f"Make between 1 and {MOST_AT_ONCE} invitations at once, for 1 to {LONGEST_DAYS} days."


class InvitationState(StrEnum):
    """USED: its person has consented; they can still go on with it on any device."""

    WAITING = "waiting"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Letter(NamedTuple):
    """One line of the send list. `path` begins behind the site's address."""

    invitation: Invitation
    state: InvitationState
    path: str


@transaction.atomic
def invite(study: Study, number: int, *, days: int, actor: Actor, now: datetime) -> list[Invitation]:
    """Make so many invitations that are good for so many days. Raises: TooMany."""
    if not (1 <= number <= MOST_AT_ONCE and 1 <= days <= LONGEST_DAYS):
        raise TooMany()
    Study.objects.select_for_update().get(pk=study.pk)
    first = (study.invitations.aggregate(last=Max("number"))["last"] or 0) + 1
    ends = now + timedelta(days=days)
    made = Invitation.objects.bulk_create(
        Invitation(study=study, number=n, created_by=actor, created_at=now, expires_at=ends)
        for n in range(first, first + number)
    )
    record(study, "invite", actor=actor, number=number, days=days)
    return made


@transaction.atomic
def revoke(invitation: Invitation, *, actor: Actor, now: datetime) -> bool:
    """Make a link invalid at once. Returns whether it was valid; what its person judged stays."""
    done = Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=now)
    if done:
        record(invitation.study, "revoke invitation", actor=actor, number=invitation.number)
    return bool(done)


def letters(study: Study, *, now: datetime) -> Iterator[Letter]:
    """Yield all invitations of a study with their links."""
    used = set(study.annotators.filter(platform="invitation").values_list("platform_hash", flat=True))
    for invitation in study.invitations.all():
        path = f"/s/{study.code}/enter/?{INVITATION_PARAMETER}={invitation_token(invitation)}"
        yield Letter(invitation, _state(invitation, used, now), path)


def _state(invitation: Invitation, used: set[str], now: datetime) -> InvitationState:
    if invitation.revoked_at:
        return InvitationState.REVOKED
    if study_hash(invitation.study, Visitor("invitation", invitation.code.hex)) in used:
        return InvitationState.USED
    return InvitationState.EXPIRED if invitation.expires_at < now else InvitationState.WAITING
