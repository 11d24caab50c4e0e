"""Who may see what of a study: researchers sign in, and every view asks here for the study it is about."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django_htmx.http import HttpResponseClientRedirect

from annotation.models import Study
from annotation.services.actors import actor_of
from annotation.services.members import may
from annotation.services.trail import EXPORT, record

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
type StudyView[**P] = Callable[Concatenate[HttpRequest, Study, P], HttpResponseBase]


def researcher_view[**P](action: str = "view") -> Callable[[StudyView[P]], Callable[..., HttpResponseBase]]:
    """Turn a view of a study into one of its code: signed in, allowed, and found."""

    def wrap(view: StudyView[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, code: UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            study = get_object_or_404(Study, code=code)
            if not may(request.user, action, study):
                raise PermissionDenied("Your account may not see this study. Ask the person who manages accounts.")
            return view(request, study, *args, **kwargs)

        return checked

    return wrap


def note_download(request: HttpRequest, study: Study, name: str, *, verb: str = EXPORT) -> None:
    """Write down who takes a file of a study. A HEAD takes nothing."""
    if request.method == "GET":
        record(study, verb, actor=actor_of(request.user), files=[name])


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Lead to the sign-in and back. A part of a page that asks again by itself takes the whole page there."""
    answer = redirect_to_login(request.get_full_path(), login_url="admin:login")
    return HttpResponseClientRedirect(answer.url) if "HX-Request" in request.headers else answer
