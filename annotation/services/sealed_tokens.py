"""What stands in links that nobody else can have made: personal invitations, and signed entries of a platform."""

from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.utils import timezone

from annotation.errors import gettext_noop
from annotation.models import Invitation, Recruitment, Study
from annotation.platforms import BadEntry
from annotation.platforms.protocol import Verify
from annotation.services import signing_keys

_INVITATION = signing.Signer(salt="personal invitation", sep=".")


def verifier(study: Study, recruitment: Recruitment) -> Verify:
    """Return what checks a token in a link to this study."""
    if recruitment.platform == "invitation":
        return lambda token: _check_invitation(study, token)
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
