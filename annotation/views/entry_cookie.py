"""What a platform's link brought along, kept for a short while in the browser, sealed against every reader.

Nothing about a person is in the database before they consent; this cookie is where it is until then.
"""

import json
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from annotation.models import Study
from annotation.platforms import Visitor
from annotation.platforms.sealing import BrokenSeal
from annotation.services.identities import sealer

COOKIE = "duologue_entry"
MAX_AGE = 60 * 60 * 2
"""Long enough to read a consent text with a break in between."""


@dataclass(frozen=True)
class Ticket:
    """A visitor who has not consented, and whether they said no."""

    visitor: Visitor
    has_declined: bool = False


def give(response: HttpResponse, study: Study, ticket: Ticket) -> None:
    """Put a ticket to a study into the browser."""
    said = json.dumps([str(study.code), list(ticket.visitor), ticket.has_declined])
    response.set_cookie(
        COOKIE,
        sealer().seal(said, now=timezone.now()),
        max_age=MAX_AGE,
        path=_path(study),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def find(request: HttpRequest, study: Study) -> Ticket | None:
    """Return the ticket that this browser holds for a study."""
    sealed = request.COOKIES.get(COOKIE, "")
    if not sealed:
        return None
    try:
        code, visitor, has_declined = json.loads(sealer().open(sealed, now=timezone.now(), max_age=MAX_AGE))
    except (BrokenSeal, ValueError):
        return None
    return Ticket(Visitor(*visitor), has_declined) if code == str(study.code) else None


def take(request: HttpRequest, response: HttpResponse, study: Study) -> None:
    """Take the ticket away: its holder is in."""
    if COOKIE in request.COOKIES:
        response.delete_cookie(COOKIE, path=_path(study), samesite="Lax")


def _path(study: Study) -> str:
    return f"/s/{study.code}/"
