"""Comparisons one after another: the answer to each submit is the next comparison.

A GET never claims. Without JavaScript each POST redirects to the page of what was claimed; htmx gets the same part of
the same page at once.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import push_url

from annotation.answers import Answer, Problem, find_problems
from annotation.checks import FIELD, CheckItem, is_hasty, item_for
from annotation.flow import Step
from annotation.forms import WordsForm, as_draft, from_draft, read_answers, read_short, read_sure, read_timing
from annotation.models import Study
from annotation.services import flows, recruiting, slots
from annotation.services.annotators import Held, Standing, report_problem
from annotation.services.claiming import may_be_open, why_no_work
from annotation.services.sheets import Sheet, frozen_sheet
from annotation.services.slots import Checked, InvalidAnswers, NoWork, Reason, Receipt, TooLateToCorrect
from annotation.views.annotators import AnnotatorRequest, annotator_required, lead_to, take_message
from annotation.views.leading import to_step
from annotation.views.screens import Screen

SHOWN = "shown"
"""In a draft: the annotator has read the content warning and wants to go on."""


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def following(request: AnnotatorRequest) -> HttpResponse:
    """Claim the next comparison (POST), or say what there is to do (GET)."""
    standing, now = request.standing, timezone.now()
    if standing.exit:
        return redirect("annotator:finish", study=standing.study_code)
    if request.method == "POST":
        if not standing.is_instructed and (step := flows.go_on(standing, now=now)) != Step.MAIN:
            return to_step(standing, step)
        return _go_to(request, slots.claim_next(standing, now=now))
    if standing.held:
        return redirect("annotator:rate", study=standing.study_code, code=standing.held.code)
    if not standing.is_instructed and (step := flows.where(standing)) != Step.MAIN:
        return to_step(standing, step)
    none = why_no_work(standing, now=now)
    is_open = none.reason in {Reason.OTHERS_HOLD, Reason.ALL_DONE} and may_be_open(standing)
    context = {
        "face": request.face,
        "standing": standing,
        "none": None if is_open else none,
        "finish": _finish_words(standing),
        "last": slots.find_last(standing),
        "note": _note(request.GET.get("saved")),
        "message": take_message(request),
    }
    return render(request, "annotator/no_work.html", context)


def _finish_words(standing: Standing) -> str:
    """Say what really comes after the last comparison: more questions, a code, or just the end."""
    if flows.where(standing, is_main_over=True) == Step.CLOSING:
        return _("Go on to the last questions")
    if standing.submitted_count and recruiting.shows_code(Study.objects.get(pk=standing.study_id)):
        return _("Finish and get the completion code")
    return _("Finish")


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Show the comparison in the annotator's hands, or store its answers and show the next one."""
    if request.method == "POST":
        return _submit(request, code)
    held = request.standing.held
    if held is None or held.code != code:
        return _show_stale(request, code)
    return _show(request, held, from_draft(held.draft), note=_note(request.GET.get("saved")))


def _submit(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    sheet, held = _sheet(request), request.standing.held
    answers = read_answers(request.POST, sheet)
    timing, sure = read_timing(request.POST), read_sure(request.POST)
    current = held if held is not None and held.code == code else None
    item = _item(request, current) if current else None
    checked = Checked(item, read_short(request.POST, FIELD)) if item else None
    is_asked = sure is None and is_hasty(timing.active_ms, sheet.minimum_seconds)
    if current and is_asked and not _lacks(answers, sheet, checked):
        _keep_draft(request, code, answers)
        return _show(request, current, answers, chosen=checked, sure=timing.active_ms, note=_hasty_note(), status=422)
    timing = timing._replace(active_ms=(timing.active_ms or 0) + sure) if sure else timing
    try:
        done = slots.submit_and_claim(
            request.standing,
            code,
            answers,
            sheet,
            now=timezone.now(),
            timing=timing,
            checked=checked,
            late_check=read_short(request.POST, FIELD),
        )
    except InvalidAnswers as error:
        if current is None:
            return _show_stale(request, code)
        _keep_draft(request, code, answers)
        return _show(request, current, answers, problems=error.problems, chosen=checked, sure=sure, status=422)
    return _go_to(request, done.following, receipt=done.receipt)


def _item(request: AnnotatorRequest, held: Held) -> CheckItem | None:
    """Return the check under the comparison in hand; None under most."""
    checks = _sheet(request).checks
    return item_for(checks, seed=request.standing.seed, number=held.number)


def _lacks(answers: Mapping[int, Answer], sheet: Sheet, checked: Checked | None) -> bool:
    is_unchecked = checked is not None and checked.answer not in checked.item.options
    return is_unchecked or bool(find_problems(answers, sheet.criterion_ids, sheet.rules))


def _hasty_note() -> str:
    return _(
        "That was quicker than most people read. If you are sure, submit it once more: nothing else follows from "
        "it. Or take another look first."
    )


def _go_to(request: AnnotatorRequest, target: Held | NoWork, receipt: Receipt | None = None) -> HttpResponse:
    """Lead on to what is next: in place for htmx, by a redirect otherwise. The receipt is that of a submit."""
    home = request.face.home
    query = "" if receipt in {None, Receipt.SAVED} else f"?saved={receipt}"
    if isinstance(target, NoWork):
        return lead_to(request, f"{home}next/{query}")
    address = f"{home}{target.code}/"
    if not request.htmx:
        return HttpResponseRedirect(address + query)
    if receipt in {Receipt.SAVED, Receipt.SURPLUS}:
        request.standing = request.standing._replace(submitted_count=request.standing.submitted_count + 1)
    return push_url(_show(request, target, from_draft(target.draft), note=_note(receipt)), address)


def _note(receipt: str | None) -> str:
    """Return the sentence that explains what became of the last answer; nothing where all went as usual."""
    return {
        Receipt.SURPLUS: _(
            "Thank you: your last answer is saved. Its time had run out, and it counts for you in full."
        ),
        Receipt.REPEATED: _("That answer was saved before; nothing has changed."),
        Receipt.STALE: _("The page you came from was out of date, so nothing was saved from it. Please go on here."),
        "changed": _("Your change is saved."),
        "reported": _("Thank you: your report has reached the researchers."),
    }.get(receipt or "", "")


def _show(
    request: AnnotatorRequest,
    held: Held,
    answers: Mapping[int, Answer],
    *,
    problems: Mapping[int, Problem] | None = None,
    note: str = "",
    status: int = 200,
    is_change: bool = False,
    chosen: Checked | None = None,
    sure: int | None = None,
) -> HttpResponse:
    screen = Screen(
        face=request.face,
        held=held,
        questions=_sheet(request).for_annotator(request.standing.seed),
        rules=_sheet(request).rules,
        answers=answers,
        problems=problems or {},
        note=note,
        is_change=is_change,
        can_change=not is_change and request.standing.submitted_count > 0,
        is_shown=bool(held.draft.get(SHOWN)) or is_change,
        item=None if is_change else _item(request, held),
        chosen=chosen.answer if chosen else str(held.draft.get(FIELD, "")),
        sure=sure,
        message=take_message(request),
    )
    return HttpResponse(screen.render(request, is_part=bool(request.htmx)), status=status)


def _show_stale(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Explain a page that is no longer current, and lead on."""
    last = slots.find_last(request.standing)
    context = {"face": request.face, "last": last if last and last.held.code == code else None}
    template = "annotator/stale.html#body" if request.htmx else "annotator/stale.html"
    return render(request, template, context, status=409)


def _sheet(request: AnnotatorRequest) -> Sheet:
    return frozen_sheet(request.standing.study_id, request.standing.study_sha256)


@annotator_required
@require_POST
def draft(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Keep the answers made so far; the page asks for no more than to know that they are kept."""
    return _lease(_keep_draft(request, code, read_answers(request.POST, _sheet(request))))


def _keep_draft(request: AnnotatorRequest, code: UUID, answers: Mapping[int, Answer]) -> datetime | None:
    held = request.standing.held
    kept = as_draft(answers)
    if held and held.draft.get(SHOWN):
        kept[SHOWN] = 1
    if FIELD in request.POST:
        kept[FIELD] = read_short(request.POST, FIELD)
    return slots.save_draft(request.standing, code, kept, now=timezone.now())


@annotator_required
@require_POST
def active(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Renew the lease: the page is open and somebody is at it."""
    return _lease(slots.heartbeat(request.standing, code, now=timezone.now()))


def _lease(until: datetime | None) -> HttpResponse:
    if until is None:
        return JsonResponse({"kept": False}, status=409)
    return JsonResponse({"kept": True, "seconds": int((until - timezone.now()).total_seconds())})


@annotator_required
@require_POST
def reveal(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Show a comparison in spite of its content warning."""
    held = request.standing.held
    if held is None or held.code != code:
        return _show_stale(request, code)
    kept = held.draft | {SHOWN: 1}
    slots.save_draft(request.standing, code, kept, now=timezone.now())
    return _go_to(request, held._replace(draft=kept))


@annotator_required
@require_POST
def skip(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Hand a comparison back unanswered; it costs the annotator nothing."""
    if not slots.release(request.standing, code):
        return _show_stale(request, code)
    released = request.standing._replace(held=None)
    return _go_to(request, slots.claim_next(released, now=timezone.now()))


@annotator_required
@require_safe
def change_last(request: AnnotatorRequest) -> HttpResponse:
    """Lead to the last answer, so that pages need not know its code."""
    last = slots.find_last(request.standing)
    if last is None or request.standing.exit:
        return redirect("annotator:next", study=request.standing.study_code)
    return redirect("annotator:change", study=request.standing.study_code, code=last.held.code)


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Correct the last answer, until the next one is saved."""
    last = slots.find_last(request.standing)
    if last is None or last.held.code != code or request.standing.exit:
        return _show_stale(request, code)
    if request.method != "POST":
        return _show(request, last.held, last.answers, is_change=True)
    answers = read_answers(request.POST, _sheet(request))
    try:
        slots.correct(request.standing, code, answers, _sheet(request), now=timezone.now())
    except InvalidAnswers as error:
        return _show(request, last.held, answers, problems=error.problems, status=422, is_change=True)
    except TooLateToCorrect:
        return _show_stale(request, code)
    held = request.standing.held
    address = f"{request.face.home}{held.code}/" if held else f"{request.face.home}next/"
    return lead_to(request, f"{address}?saved=changed")


@annotator_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: AnnotatorRequest, code: UUID) -> HttpResponse:
    """Tell the researchers what is wrong with the comparison in hand."""
    held = request.standing.held
    if held is None or held.code != code:
        return _show_stale(request, code)
    form = WordsForm(request.POST or None)
    if form.is_valid():
        report_problem(request.standing, held, form.cleaned_data["text"])
        return HttpResponseRedirect(f"{request.face.home}{code}/?saved=reported")
    status = 422 if request.method == "POST" else 200
    return render(request, "annotator/report.html", {"face": request.face, "code": code, "form": form}, status=status)
