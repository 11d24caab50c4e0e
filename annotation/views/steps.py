"""The steps around the main part: device, comprehension, training, closing questions. Plain forms, no script.

Every page first asks where the person belongs and leads there, so old tabs and reloads do no harm.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from annotation.flow import Step
from annotation.forms import read_asked, read_option
from annotation.services import annotators, flows
from annotation.services.annotators import Standing
from annotation.services.claiming import may_be_open
from annotation.services.flows import Exercise
from annotation.services.sheets import Sheet, frozen_sheet
from annotation.states import Exit
from annotation.views import entry
from annotation.views.annotators import AnnotatorRequest, annotator_required, take_message
from annotation.views.exercises import explain, question_of
from annotation.views.leading import lead_on, to_step
from annotation.views.screens import draw_exercise

View = Callable[[AnnotatorRequest], HttpResponse]


def at_step(step: Step) -> Callable[[View], Callable[..., HttpResponse]]:
    """Let people see a step's page when they are at that step, and lead them on otherwise."""

    def wrap(view: View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def led(request: AnnotatorRequest) -> HttpResponse:
            belongs = flows.where(request.standing, is_main_over=step == Step.CLOSING)
            return view(request) if belongs == step else to_step(request.standing, belongs)

        return annotator_required(require_http_methods(["GET", "HEAD", "POST"])(led))

    return wrap


@at_step(Step.DEVICE)
def device(request: AnnotatorRequest) -> HttpResponse:
    """Show how the rating page will look, and ask whether it does."""
    needs_computer = flows.steps_of(request.standing).device == "computer"
    answer = request.POST.get("answer", "")
    if answer == "stop":
        annotators.withdraw(request.standing.annotator_id, now=timezone.now(), how=Exit.NOT_ELIGIBLE)
        return redirect("annotator:finish", study=request.standing.study_code)
    is_too_small = needs_computer and _is_phone(request)
    if answer == "yes" and not is_too_small:
        flows.pass_device(request.standing, now=timezone.now())
        return lead_on(request.standing, now=timezone.now())
    context = {
        "face": request.face,
        "needs_computer": needs_computer,
        "does_not_fit": answer == "no" or is_too_small,
        "is_unanswered": request.method == "POST" and answer not in {"yes", "no"},
        "message": take_message(request),
    }
    return render(request, "annotator/device.html", context, status=422 if request.method == "POST" else 200)


def _is_phone(request: HttpRequest) -> bool:
    """What the browser says of itself at this moment; it is not kept."""
    if "Sec-CH-UA-Mobile" in request.headers:
        return request.headers["Sec-CH-UA-Mobile"] == "?1"
    return "Mobi" in request.headers.get("User-Agent", "")


@at_step(Step.COMPREHENSION)
def comprehension(request: AnnotatorRequest) -> HttpResponse:
    """Ask the questions about the instructions; what is right never leaves the server."""
    standing, steps = request.standing, flows.steps_of(request.standing)
    given = {asked.id: read_option(request.POST, asked) for asked in steps.comprehension}
    missing = [key for key, number in given.items() if number is None] if request.method == "POST" else []
    wrong: list[int] = []
    if request.method == "POST" and not missing:
        wrong = flows.answer_comprehension(standing, given, now=timezone.now())
        if not wrong:
            return lead_on(standing, now=timezone.now())
        if not flows.attempts_left_of(standing):
            return to_step(standing, Step.END)
    rows = [_row(asked, given[asked.id], asked.id in missing, asked.id in wrong) for asked in steps.comprehension]
    for row in rows:
        row["hint"] = steps.hints[row["asked"].id] if row["is_wrong"] else ""
    left = flows.attempts_left_of(standing)
    context = {"face": request.face, "rows": rows, "missing": len(missing), "wrong": len(wrong), "left": left}
    context["message"] = take_message(request)
    return render(request, "annotator/comprehension.html", context, status=422 if missing or wrong else 200)


def _row(asked: Any, given: int | str | None, is_missing: bool, is_wrong: bool = False) -> dict[str, Any]:
    return {"asked": asked, "given": given, "is_missing": is_missing, "is_wrong": is_wrong}


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def training(request: AnnotatorRequest) -> HttpResponse:
    """Ask one training comparison after the other, and explain each answer on a page of its own."""
    standing = request.standing
    if request.method != "POST" and (number := _number(request.GET.get("answered"))):
        return _explain(request, number)
    belongs = flows.where(standing)
    if belongs != Step.TRAINING:
        return to_step(standing, belongs)
    sheet = frozen_sheet(standing.study_id, standing.study_sha256)
    number = len(flows.read_progress(standing).training) + 1
    exercise = flows.steps_of(standing).training[number - 1]
    if request.method == "POST":
        # The number of a page that was answered before: show what came of it.
        asked = _number(request.POST.get("number"))
        value = request.POST.get(question_of(exercise, sheet).key, "")
        if asked == number and value not in sheet.rules.values():
            return _ask(request, exercise, sheet, number, is_missing=True)
        if asked == number:
            flows.answer_training(standing, number, value, now=timezone.now())
        return redirect(f"{request.face.home}practice/?answered={min(asked or number, number)}")
    return _ask(request, exercise, sheet, number)


def _ask(
    request: AnnotatorRequest, exercise: Exercise, sheet: Sheet, number: int, *, is_missing: bool = False
) -> HttpResponse:
    question = question_of(exercise, sheet)
    context = {
        **draw_exercise(exercise.pair, question, sheet.rules, is_missing=is_missing),
        "face": request.face,
        "number": number,
        "total": len(flows.steps_of(request.standing).training),
        "message": take_message(request),
    }
    return render(request, "annotator/practice.html", context, status=422 if is_missing else 200)


def _explain(request: AnnotatorRequest, number: int) -> HttpResponse:
    """Say how an answer was, and why. Only after it was given."""
    standing, steps = request.standing, flows.steps_of(request.standing)
    attempt = flows.find_training(standing, number)
    if attempt is None or number > len(steps.training):
        return redirect("annotator:next", study=standing.study_code)
    sheet = frozen_sheet(standing.study_id, standing.study_sha256)
    exercise = steps.training[number - 1]
    context = {
        **draw_exercise(exercise.pair, question_of(exercise, sheet), sheet.rules),
        "face": request.face,
        "number": number,
        "total": len(steps.training),
        "message": take_message(request),
        **explain(exercise, sheet, str(attempt.answers.get("value", ""))),
    }
    return render(request, "annotator/practice.html", context)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


@at_step(Step.CLOSING)
def closing(request: AnnotatorRequest) -> HttpResponse:
    """Ask the closing questions once nothing is left to judge, and end the person's part."""
    standing: Standing = request.standing
    if standing.held or (may_be_open(standing) and standing.submitted_count < standing.quota):
        return redirect("annotator:next", study=standing.study_code)
    asked = flows.steps_of(standing).closing
    given = {question.id: read_asked(request.POST, question) for question in asked}
    missing = [q.id for q in asked if q.is_required and not given[q.id]] if request.method == "POST" else []
    if request.method == "POST" and not missing:
        flows.answer_closing(standing, given, now=timezone.now())
        ended: HttpResponse = entry.finish(request, study=standing.study_code)
        return ended
    rows = [_row(question, given[question.id], question.id in missing) for question in asked]
    context = {"face": request.face, "rows": rows, "missing": len(missing), "message": take_message(request)}
    return render(request, "annotator/closing.html", context, status=422 if missing else 200)
