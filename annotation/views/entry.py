"""What stands around the comparisons: instructions, guidelines, leaving, the end."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.flow import Step
from annotation.forms import WordsForm
from annotation.models import Annotator
from annotation.services import annotators, flows
from annotation.services.erasing import erase_person
from annotation.services.sheets import frozen_sheet
from annotation.services.slots import NoWork, Reason, claim_next, find_last
from annotation.states import Exit
from annotation.views.annotators import AnnotatorRequest, annotator_required, take_message
from annotation.views.exercises import draw_examples
from annotation.views.leading import to_step
from annotation.views.ways_out import exit_context


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
        "message": take_message(request),
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
    annotator = Annotator.objects.select_related("study").get(pk=request.standing.annotator_id)
    context = exit_context(annotator.study, Exit(annotator.exit), annotator)
    context |= {"face": request.face, "annotator": annotator, "thanked": "thanks" in request.GET}
    # What came after they had left: not marked as seen, for no other page will show it to them.
    context["message"] = request.standing.message
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
    """Stop here, keeping the answers given so far or having all of it deleted; the latter also after the end."""
    standing, now = request.standing, timezone.now()
    if request.method != "POST":
        context = {"face": request.face, "standing": standing, "last": find_last(standing)}
        return render(request, "annotator/leave.html", context)
    match request.POST.get("answers"):
        case "delete":
            erase_person(standing.annotator_id, now=now)
        case "problem":
            annotators.withdraw(standing.annotator_id, now=now, how=Exit.TECHNICAL_PROBLEM)
        case _:
            annotators.withdraw(standing.annotator_id, now=now)
    return redirect("annotator:finish", study=standing.study_code)
