"""The frame on a Mechanical Turk worker's page: a preview, then the way to the work, and the form that submits it.

The work opens in a tab of its own, because a frame gets no cookies of ours. The frame knows its worker by a sealed
token in its own address; it asks now and then whether their part has ended. A GET here claims nothing.
"""

from functools import wraps
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from annotation.middleware import entry_parameters
from annotation.models import Annotator, Study
from annotation.platforms import BadEntry, Visitor
from annotation.platforms.mturk import TOKEN, is_preview, read_preview, submit_address
from annotation.services import recruiting
from annotation.services.annotators import NotEligible
from annotation.services.faces import read_face
from annotation.services.identities import find_enrolled
from annotation.services.places import NoPlaceLeft, NoSuchBatch, StudyNotOpen
from annotation.services.recruiting import Gate
from annotation.services.sealed_tokens import Frame, frame_token, is_of_frame, open_frame
from annotation.states import StudyState
from annotation.views.annotators import in_its_language


class FrameView(Protocol):
    """A view of a study's frame."""

    def __call__(self, request: HttpRequest, study: UUID) -> HttpResponse: ...


def framed(view: FrameView) -> FrameView:
    """Let the two sites for workers, and nobody else, show a page in a frame and take its form."""

    @in_its_language
    @never_cache
    @xframe_options_exempt
    @require_safe
    @wraps(view)
    def wrapped(request: HttpRequest, study: UUID) -> HttpResponse:
        response = view(request, study)
        hosts = [f"https://{host}" for host in settings.MTURK_HOSTS]
        policy = settings.SECURE_CSP | {"frame-ancestors": hosts, "form-action": [CSP.SELF, *hosts]}
        setattr(response, "_csp_config", policy)  # noqa: B010 - what Django's csp_override sets
        return response

    return wrapped


@framed
@sensitive_variables()
def hit(request: HttpRequest, study: UUID) -> HttpResponse:
    """Draw the frame: a preview, the way to the work, or the form at the end."""
    found = get_object_or_404(Study, code=study)
    brought = entry_parameters(request)
    recruitment = recruiting.recruitment_of(found)
    if recruitment.platform != "mturk":
        return _show(request, found, "stranger")
    if TOKEN not in brought and is_preview(brought):
        problem = _why_not(found, read_preview(brought, recruiting.setup_of(recruitment)))
        return _show(request, found, "preview", problem=problem)
    try:
        if TOKEN in brought:
            return _show_work(request, found, open_frame(found, brought[TOKEN]), brought[TOKEN])
        visitor = recruiting.read_entry(found, brought)
    except BadEntry:
        return _show(request, found, "stranger")
    if not _submits_to(visitor):
        # Now, and not after the work: there would be no form with which to submit it.
        return _show(request, found, "stranger")
    token = frame_token(found, visitor)
    return redirect(f"{reverse('annotator:hit', args=[study])}?{urlencode({TOKEN: token})}")


@sensitive_variables()
def _show_work(request: HttpRequest, study: Study, frame: Frame, token: str) -> HttpResponse:
    annotator = find_enrolled(study, frame.visitor)
    if annotator and annotator.exit:
        if is_of_frame(annotator, frame):
            return _show_submit(request, study, frame.visitor, annotator)
        return _show(request, study, "twice")
    if annotator is None and (problem := _why_not(study, frame.visitor)):
        return _show(request, study, "refused", problem=problem)
    # Whoever has begun goes on in their tab however the study stands: what they did is paid there.
    query = urlencode({TOKEN: token})
    return _show(
        request,
        study,
        "work",
        work=f"{reverse('annotator:enter', args=[study.code])}?{query}",
        asks=f"{reverse('annotator:hit_state', args=[study.code])}?{query}",
        token=token,
        has_begun=annotator is not None,
    )


def _why_not(study: Study, visitor: Visitor) -> str:
    """Return why somebody who has not begun cannot begin now, before they accept a task or open a tab; else ""."""
    if study.state != StudyState.RUNNING:
        return gettext(StudyNotOpen.user_message)
    refusals = {Gate.EXCLUDED: NotEligible, Gate.FULL: NoPlaceLeft, Gate.NO_BATCH: NoSuchBatch}
    refusal = refusals.get(recruiting.gate(study, visitor))
    return gettext(refusal.user_message) if refusal else ""


def _show_submit(request: HttpRequest, study: Study, visitor: Visitor, annotator: Annotator) -> HttpResponse:
    address = _submits_to(visitor)
    if not address:
        return _show(request, study, "stranger")
    return _show(request, study, "submit", address=address, assignment=visitor.submission, annotator=annotator)


def _submits_to(visitor: Visitor) -> str:
    return submit_address(visitor.submit_to, frozenset(settings.MTURK_HOSTS))


def _show(request: HttpRequest, study: Study, state: str, **said: Any) -> HttpResponse:
    face = read_face(study)
    context = {"face": face, "state": state, "minutes": face.minutes(face.comparisons), **said}
    return render(request, "annotator/hit.html", context)


@framed
@sensitive_variables()
def hit_state(request: HttpRequest, study: UUID) -> HttpResponse:
    """Say whether the worker's part has ended: the frame then draws itself anew."""
    found = get_object_or_404(Study, code=study)
    try:
        frame = open_frame(found, entry_parameters(request).get(TOKEN, ""))
    except BadEntry:
        return JsonResponse({"ended": False}, status=403)
    annotator = find_enrolled(found, frame.visitor)
    return JsonResponse({"ended": bool(annotator and annotator.exit)})
