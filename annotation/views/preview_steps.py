"""The steps around the main part as annotators will see them: the same templates, graded, with nothing stored."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.flow import Step
from annotation.forms import read_asked, read_option
from annotation.models import Study
from annotation.practice import wrong_answers
from annotation.services.faces import read_face
from annotation.services.flows import Steps, read_steps
from annotation.services.sheets import Sheet, read_sheet
from annotation.views.access import researcher_view
from annotation.views.exercises import draw_examples, explain, question_of
from annotation.views.screens import draw_exercise

Page = tuple[str, dict[str, Any]]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@researcher_view()
def preview_step(request: HttpRequest, study: Study, step: str) -> HttpResponse:
    """Show one step; its form answers as it would answer an annotator."""
    steps = read_steps(study)
    shown = [each for each in _PAGES if steps.flow.has(each)]
    if step not in shown:
        raise Http404("This study has no such step.")
    template, context = _PAGES[Step(step)](request, steps, read_sheet(study.pk))
    nav = {"study": study, "steps": [(each, each.value.capitalize()) for each in shown], "current": step}
    return render(request, template, {**context, "face": read_face(study), "preview_nav": nav})


def _device(request: HttpRequest, steps: Steps, sheet: Sheet) -> Page:
    fits = request.POST.get("answer") != "no"
    return "annotator/device.html", {"needs_computer": steps.device == "computer", "does_not_fit": not fits}


def _instructions(request: HttpRequest, steps: Steps, sheet: Sheet) -> Page:
    context = {"has_tie": "0" in sheet.rules.values(), "examples": draw_examples(steps.examples, sheet)}
    return "annotator/instructions.html", context


def _comprehension(request: HttpRequest, steps: Steps, sheet: Sheet) -> Page:
    given = {asked.id: read_option(request.POST, asked) for asked in steps.comprehension}
    wrong = wrong_answers(given, steps.right_options) if request.method == "POST" else []
    rows = [
        {"asked": asked, "given": given[asked.id], "is_wrong": asked.id in wrong, "hint": steps.hints[asked.id]}
        for asked in steps.comprehension
    ]
    return "annotator/comprehension.html", {"rows": rows, "wrong": len(wrong), "left": steps.flow.attempts}


def _training(request: HttpRequest, steps: Steps, sheet: Sheet) -> Page:
    total = len(steps.training)
    given = request.POST.get("number") or request.GET.get("number", "")
    number = min(max(int(given), 1), total) if given.isascii() and given.isdigit() and len(given) < 6 else 1
    exercise = steps.training[number - 1]
    question = question_of(exercise, sheet)
    value = request.POST.get(question.key, "")
    is_missing = request.method == "POST" and value not in sheet.rules.values()
    context: dict[str, Any] = draw_exercise(exercise.pair, question, sheet.rules, is_missing=is_missing)
    context |= {"number": number, "total": total, "next_number": number % total + 1}
    if request.method == "POST" and not is_missing:
        context |= explain(exercise, sheet, value)
    return "annotator/practice.html", context


def _closing(request: HttpRequest, steps: Steps, sheet: Sheet) -> Page:
    given = {asked.id: read_asked(request.POST, asked) for asked in steps.closing}
    is_sent = request.method == "POST"
    rows = [
        {"asked": q, "given": given[q.id], "is_missing": is_sent and q.is_required and not given[q.id]}
        for q in steps.closing
    ]
    return "annotator/closing.html", {"rows": rows, "missing": sum(row["is_missing"] for row in rows)}


_PAGES: dict[Step, Callable[[HttpRequest, Steps, Sheet], Page]] = {
    Step.DEVICE: _device,
    Step.INSTRUCTIONS: _instructions,
    Step.COMPREHENSION: _comprehension,
    Step.TRAINING: _training,
    Step.CLOSING: _closing,
}
