"""Who is asking: annotators carry a signed cookie of their own, valid for the pages of one study."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Concatenate
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect

from annotation.models import Study
from annotation.services.annotators import Message, Standing, find_standing
from annotation.services.faces import Face, frozen_face
from annotation.services.running import mark_seen
from annotation.services.spoken import spoken

COOKIE = "duologue"
MAX_AGE = 60 * 60 * 24 * 90


class AnnotatorRequest(HttpRequest):
    """A request of a known annotator of the study in its address."""

    standing: Standing
    face: Face
    htmx: object


def remember(response: HttpResponse, *, study: UUID, annotator: UUID) -> None:
    """Let this browser go on as this annotator, in this study alone."""
    response.set_signed_cookie(
        COOKIE,
        str(annotator),
        salt=_salt(study),
        max_age=MAX_AGE,
        path=f"/s/{study}/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse, *, study: UUID) -> None:
    """Let this browser be nobody in this study: somebody else comes in with it."""
    response.delete_cookie(COOKIE, path=f"/s/{study}/", samesite="Lax")


def find_annotator(request: HttpRequest, study: UUID) -> Standing | None:
    """Return where the annotator of this browser stands in the study; None for a stranger."""
    code = request.get_signed_cookie(COOKIE, default="", salt=_salt(study), max_age=MAX_AGE)
    return find_standing(study, UUID(code)) if code else None


def _salt(study: UUID) -> str:
    return f"annotator of {study}"


def speaking(tag: str) -> AbstractContextManager[None]:
    """Answer in the study's language where the pages exist in it, and in the browser's otherwise."""
    language = spoken(tag)
    return translation.override(language) if language else nullcontext()


def _named(response: HttpResponse) -> HttpResponse:
    """Say in the header which language the page is in: the middleware knows the browser's alone."""
    response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    return response


def in_its_language[**P](
    view: Callable[Concatenate[HttpRequest, UUID, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Answer strangers in the language of the study in the address."""

    @wraps(view)
    def wrapped(request: HttpRequest, study: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        tag = Study.objects.filter(code=study).values_list("language", flat=True).first()
        with speaking(tag or ""):
            return _named(view(request, study, *args, **kwargs))

    return wrapped


def lead_to(request: HttpRequest, address: str) -> HttpResponse:
    """Send the whole page there, also where htmx asked and would swap a redirect's target into a part of it."""
    is_htmx = "HX-Request" in request.headers
    return HttpResponseClientRedirect(address) if is_htmx else HttpResponseRedirect(address)


def take_message(request: AnnotatorRequest) -> Message | None:
    """Return the researchers' message to all for the page that is drawn now, once; None where there is none."""
    if request.standing.message and request.method != "HEAD":
        mark_seen(request.standing.annotator_id)
    return request.standing.message


def annotator_required[**P](
    view: Callable[Concatenate[AnnotatorRequest, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Answer annotators of the study in the address; send everybody else to its first page."""

    @wraps(view)
    def wrapped(request: AnnotatorRequest, study: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        standing = find_annotator(request, study)
        if standing is None:
            return lead_to(request, reverse("annotator:landing", args=[study]))
        request.standing = standing
        request.face = frozen_face(standing.study_id, standing.study_sha256)
        with speaking(request.face.language):
            response = _named(view(request, *args, **kwargs))
        add_never_cache_headers(response)
        return response

    return wrapped
