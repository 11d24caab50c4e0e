"""The way in and the way out: consent, instructions, guidelines, leaving, the end."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.errors import DuologueError
from annotation.flow import Step
from annotation.forms import ConsentForm, WordsForm
from annotation.models import Annotator, Study
from annotation.services import annotators, flows
from annotation.services.faces import read_face
from annotation.services.sheets import frozen_sheet
from annotation.services.slots import NoWork, Reason, claim_next, find_last
from annotation.states import Exit, StudyState
from annotation.views.annotators import AnnotatorRequest, annotator_required, find_annotator, remember
from annotation.views.exercises import draw_examples
from annotation.views.leading import to_step


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, study: UUID) -> HttpResponse:
    """What the study asks, and consent. Nothing is stored before it is given."""
    if find_annotator(request, study):
        return redirect("annotator:next", study=study)
    found = get_object_or_404(Study, code=study)
    if found.state != StudyState.RUNNING:
        return render(request, "annotator/not_open.html", {"face": read_face(found), "state": found.state})
    form = ConsentForm(request.POST or None)
    problem = ""
    if form.is_valid():
        try:
            return _enrol(found, form, is_simulated=found.is_rehearsal)
        except DuologueError as error:
            problem = error.user_message
    face = read_face(found)
    context = {"face": face, "form": form, "problem": problem, "minutes": face.minutes(face.comparisons)}
    return render(request, "annotator/landing.html", context, status=422 if request.method == "POST" else 200)


def _enrol(study: Study, form: ConsentForm, *, is_simulated: bool) -> HttpResponse:
    version = form.cleaned_data["consent_version"]
    annotator = annotators.enrol(study, consent_version=version, now=timezone.now(), is_simulated=is_simulated)
    response = redirect("annotator:instructions", study=study.code)
    remember(response, study=study.code, annotator=annotator.code)
    return response


@require_safe
def declined(request: HttpRequest, study: UUID) -> HttpResponse:
    face = read_face(get_object_or_404(Study, code=study))
    return render(request, "annotator/declined.html", {"face": face})


@annotator_required
@require_safe
def instructions(request: AnnotatorRequest) -> HttpResponse:
    standing = request.standing
    if not standing.is_instructed and (step := flows.where(standing)) == Step.DEVICE:
        return to_step(standing, step)
    sheet = frozen_sheet(standing.study_id, standing.study_sha256)
    context = {
        "face": request.face,
        "has_tie": "0" in sheet.rules.values(),
        "examples": draw_examples(flows.steps_of(standing).examples, sheet),
    }
    return render(request, "annotator/instructions.html", context)


@annotator_required
@require_safe
def guidelines(request: AnnotatorRequest) -> HttpResponse:
    return render(request, "annotator/guidelines.html", {"face": request.face})


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def finish(request: AnnotatorRequest) -> HttpResponse:
    """End the annotator's part where nothing is left for them, and show how it ended."""
    standing, now = request.standing, timezone.now()
    if request.method == "POST" and not standing.exit:
        following = claim_next(standing, now=now)
        if not isinstance(following, NoWork):
            return redirect("annotator:rate", study=standing.study_code, code=following.code)
        if following.reason == Reason.PAUSED:
            return redirect("annotator:next", study=standing.study_code)
        if flows.where(standing, is_main_over=True) == Step.CLOSING:
            return redirect("annotator:closing", study=standing.study_code)
        how = Exit.COMPLETED if standing.submitted_count else Exit.QUOTA_FULL
        annotators.finish(standing.annotator_id, now=now, how=how)
        return redirect("annotator:finish", study=standing.study_code)
    if not standing.exit:
        return redirect("annotator:next", study=standing.study_code)
    return _show_end(request)


def _show_end(request: AnnotatorRequest) -> HttpResponse:
    annotator = Annotator.objects.get(pk=request.standing.annotator_id)
    context = {"face": request.face, "annotator": annotator, "thanked": "thanks" in request.GET}
    return render(request, "annotator/finish.html", context)


@annotator_required
@require_POST
def feedback(request: AnnotatorRequest) -> HttpResponse:
    form = WordsForm(request.POST)
    if form.is_valid():
        annotators.keep_feedback(request.standing.annotator_id, form.cleaned_data["text"])
    thanks = "?thanks" if form.is_valid() else ""
    return redirect(f"{request.face.home}finish/{thanks}")


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: AnnotatorRequest) -> HttpResponse:
    """Stop here, keeping the answers given so far or having them deleted."""
    standing = request.standing
    if request.method == "POST":
        annotators.withdraw(standing.annotator_id, now=timezone.now(), erase=request.POST.get("answers") == "delete")
        return redirect("annotator:finish", study=standing.study_code)
    if standing.exit:
        return redirect("annotator:finish", study=standing.study_code)
    return render(request, "annotator/leave.html", {"face": request.face, "last": find_last(standing)})
