"""What stands in links that nobody else can have made: invitations, signed entries of a platform, a frame's token."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core import signing
from django.utils import timezone

from annotation.errors import gettext_noop
from annotation.models import Annotator, Invitation, Recruitment, Study
from annotation.platforms import BadEntry, Visitor
from annotation.platforms.protocol import Verify
from annotation.platforms.sealing import BrokenSeal
from annotation.services import signing_keys
from annotation.services.identities import find_enrolled, sealer, submission_hash

FRAME_SECONDS = 60 * 60 * 24 * 2
"""No task of a worker lasts longer than a day or two."""

_INVITATION = signing.Signer(salt="personal invitation", sep=".")


def verifier(study: Study, recruitment: Recruitment) -> Verify:
    """Return what checks a token in a link to this study."""
    if recruitment.platform == "invitation":
        return lambda token: _check_invitation(study, token)
    if recruitment.platform == "mturk":
        return lambda token: open_frame(study, token).visitor._asdict()
    return lambda token: signing_keys.check_entry(token, audience=recruitment.audience)


def invitation_token(invitation: Invitation) -> str:
    """Return what makes the link of an invitation."""
    return _INVITATION.sign(invitation.code.hex)


def _check_invitation(study: Study, token: str) -> Mapping[str, Any]:
    try:
        code = _INVITATION.unsign(token)
    except signing.BadSignature as error:
        raise BadEntry(
            gettext_noop("This personal link is not complete. Please copy the whole link from your message.")
        ) from error
    found = study.invitations.filter(code=code).first()
    if found is None or found.revoked_at is not None:
        raise BadEntry(gettext_noop("This personal link is not valid any more. Please ask the people who sent it."))
    if found.expires_at < timezone.now():
        raise BadEntry(gettext_noop("This personal link has expired. Please ask the people who sent it for a new one."))
    return {"code": code}


class Frame(NamedTuple):
    """A frame on a worker's page. `continues`: they were in the study and not done when this task was accepted."""

    visitor: Visitor
    continues: bool


def frame_token(study: Study, visitor: Visitor) -> str:
    """Return the sealed token by which a frame knows its worker."""
    annotator = find_enrolled(study, visitor)
    continues = annotator is not None and not annotator.exit
    return sealer().seal(json.dumps([str(study.code), list(visitor), continues]), now=timezone.now())


def open_frame(study: Study, token: str) -> Frame:
    """Return what a frame's token says. Raises: BadEntry for one that is made up, too old, or of another study."""
    try:
        code, visitor, continues = json.loads(sealer().open(token, now=timezone.now(), max_age=FRAME_SECONDS))
    except (BrokenSeal, ValueError) as error:
        raise BadEntry() from error
    if code != str(study.code):
        raise BadEntry()
    return Frame(Visitor(*visitor), continues)


def is_of_frame(annotator: Annotator, frame: Frame) -> bool:
    """Whether an annotator did the work that a frame waits for, and not that of an earlier task."""
    theirs = submission_hash(frame.visitor.platform, frame.visitor.submission)
    return frame.continues or annotator.identity.submission_hash == theirs
