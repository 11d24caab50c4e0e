"""The way in: from a platform's link to the consent page, and through it. Nothing is stored before consent."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from annotation.errors import DuologueError
from annotation.forms import ConsentForm
from annotation.middleware import entry_parameters
from annotation.models import Annotator, Study
from annotation.platforms import BadEntry, Visitor
from annotation.services import annotators, platform_events, recruiting
from annotation.services.annotators import NotEligible
from annotation.services.faces import read_face
from annotation.services.identities import find_enrolled
from annotation.services.places import NoPlaceLeft, NoSuchBatch
from annotation.services.recruiting import Gate
from annotation.states import Exit, StudyState
from annotation.views import entry_cookie
from annotation.views.annotators import find_annotator, forget, in_its_language, remember
from annotation.views.entry_cookie import Ticket
from annotation.views.leading import lead_on
from annotation.views.ways_out import show_exit


@in_its_language
@never_cache
@require_safe
@sensitive_variables()
def enter(request: HttpRequest, study: UUID) -> HttpResponse:
    """Take what a link brings along, and lead on to a clean address. A GET claims and stores nothing."""
    found = get_object_or_404(Study, code=study)
    try:
        visitor = recruiting.read_entry(found, entry_parameters(request))
    except BadEntry as error:
        return _refuse(request, found, gettext(error.user_message))
    if not visitor.person:
        return _lead_in_anybody(found, visitor)
    enrolled = find_enrolled(found, visitor)
    return _lead_back(request, found, visitor, enrolled) if enrolled else _lead_in(found, visitor)


def _lead_in_anybody(study: Study, visitor: Visitor) -> HttpResponse:
    """Lead somebody on whom nobody knows; all that may be known is the batch in which they come."""
    response = redirect("annotator:landing", study=study.code)
    if visitor.batch:
        entry_cookie.give(response, study, Ticket(visitor))
    return response


def _lead_in(study: Study, visitor: Visitor) -> HttpResponse:
    """Lead a new visitor to the consent page; whoever used this browser before is not them."""
    response = redirect("annotator:landing", study=study.code)
    forget(response, study=study.code)
    entry_cookie.give(response, study, Ticket(visitor))
    return response


@sensitive_variables()
def _lead_back(request: HttpRequest, study: Study, visitor: Visitor, annotator: Annotator) -> HttpResponse:
    """Let an annotator go on: in the browser that began, or anywhere with a link that nobody else can have made."""
    here = find_annotator(request, study.code)
    is_here = here is not None and here.annotator_id == annotator.pk
    if not is_here and not visitor.is_signed:
        return _refuse(request, study, gettext(annotators.AlreadyEnrolled.user_message), status=409)
    response = redirect("annotator:next", study=study.code)
    if not is_here:
        remember(response, study=study.code, annotator=annotator.code)
    entry_cookie.take(request, response, study)
    return response


def _refuse(request: HttpRequest, study: Study, problem: str, *, status: int = 400) -> HttpResponse:
    context = {"face": read_face(study), "problem": problem}
    return render(request, "annotator/bad_entry.html", context, status=status)


@in_its_language
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def landing(request: HttpRequest, study: UUID) -> HttpResponse:
    """What the study asks, and consent."""
    if entry_parameters(request):
        # The link of a platform without the last part of its path.
        return enter(request, study)
    if find_annotator(request, study):
        return redirect("annotator:next", study=study)
    found = get_object_or_404(Study, code=study)
    ticket = entry_cookie.find(request, found)
    visitor = ticket.visitor if ticket else None
    if found.state != StudyState.RUNNING:
        return render(request, "annotator/not_open.html", {"face": read_face(found), "state": found.state})
    stopped = _stop(request, found, visitor)
    return stopped or _ask_consent(request, found, visitor)


def _stop(request: HttpRequest, study: Study, visitor: Visitor | None) -> HttpResponse | None:
    """Tell people at once, before they read or do anything, that this is not for them."""
    match recruiting.gate(study, visitor):
        case Gate.STRANGER:
            platform = recruiting.platform_of(study).name
            context = {"face": read_face(study), "platform": platform}
            return render(request, "annotator/stranger.html", context, status=403)
        case Gate.KNOWN:
            return _refuse(request, study, gettext(annotators.AlreadyEnrolled.user_message), status=409)
        case Gate.EXCLUDED:
            return show_exit(request, study, Exit.NOT_ELIGIBLE)
        case Gate.NO_BATCH:
            return _refuse(request, study, gettext(NoSuchBatch.user_message))
        case Gate.FULL:
            return show_exit(request, study, Exit.QUOTA_FULL)
    return None


def _ask_consent(request: HttpRequest, study: Study, visitor: Visitor | None) -> HttpResponse:
    if request.method == "POST" and "decline" in request.POST:
        return _decline(study, visitor)
    form = ConsentForm(request.POST or None)
    problem = ""
    if form.is_valid():
        try:
            return _enrol(request, study, visitor, version=form.cleaned_data["consent_version"])
        except NoPlaceLeft:
            return show_exit(request, study, Exit.QUOTA_FULL)
        except NotEligible:
            return show_exit(request, study, Exit.NOT_ELIGIBLE)
        except DuologueError as error:
            problem = gettext(error.user_message)
    face = read_face(study)
    context = {"face": face, "form": form, "problem": problem, "minutes": face.minutes(face.comparisons)}
    return render(request, "annotator/landing.html", context, status=422 if request.method == "POST" else 200)


def _enrol(request: HttpRequest, study: Study, visitor: Visitor | None, *, version: str) -> HttpResponse:
    annotator = annotators.enrol(
        study, consent_version=version, now=timezone.now(), visitor=visitor, is_simulated=study.is_rehearsal
    )
    if visitor and visitor.submission:
        platform_events.catch_up(annotator.identity, now=timezone.now())
    standing = annotators.find_standing(study.code, annotator.code)
    response = lead_on(standing, now=timezone.now()) if standing else redirect("annotator:next", study=study.code)
    remember(response, study=study.code, annotator=annotator.code)
    entry_cookie.take(request, response, study)
    return response


def _decline(study: Study, visitor: Visitor | None) -> HttpResponse:
    response = redirect("annotator:declined", study=study.code)
    if visitor:
        entry_cookie.give(response, study, Ticket(visitor, has_declined=True))
    return response


@in_its_language
@never_cache
@require_safe
def declined(request: HttpRequest, study: UUID) -> HttpResponse:
    """Say goodbye to somebody who does not consent; the way back to the platform is for those who said so."""
    found = get_object_or_404(Study, code=study)
    ticket = entry_cookie.find(request, found)
    return show_exit(request, found, Exit.NO_CONSENT, has_left=bool(ticket and ticket.has_declined))
