"""Steer a running study from its monitor, and decide about pay."""

import re
from decimal import Decimal

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation.decisions import Decision
from annotation.errors import DuologueError
from annotation.models import Study
from annotation.platforms.pay_layouts import PayList
from annotation.services import deciding, pay_lists, running, studies
from annotation.services.actors import actor_of
from annotation.services.exports.files import download_name
from annotation.views.access import note_download, researcher_view
from annotation.views.results import page_context

PEOPLE_A_PAGE = 100
UNDO = "undo"
"""Beside the decisions: take back the one that was made."""
_AMOUNT = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")


@require_POST
@researcher_view("change")
def steer(request: HttpRequest, study: Study) -> HttpResponse:
    """Pause, go on, add places, or tell everybody something."""
    try:
        messages.success(request, _steer(request, study))
    except DuologueError as problem:
        messages.error(request, problem.user_message)
    return redirect("monitor", study.code)


def _steer(request: HttpRequest, study: Study) -> str:
    actor = actor_of(request.user)
    match request.POST.get("deed"):
        case "pause":
            studies.pause(study, actor=actor)
            return "The study is paused: what people hold they may still answer."
        case "resume":
            studies.resume(study, actor=actor)
            return "The study runs again."
        case "top-up":
            return _top_up(request, study)
        case "message":
            running.tell_everybody(study, request.POST.get("message", ""), actor=actor, now=timezone.now())
            said = "Everybody who takes part now sees it once, on their next page; who is through, on their last."
            return said if study.message else "Nothing more is shown."
    raise DuologueError("Choose one of the buttons.")


def _top_up(request: HttpRequest, study: Study) -> str:
    """Add places to the study, or to the one of its platform batches that the form names."""
    number, actor = _number(request.POST.get("places", "")), actor_of(request.user)
    if "batch" in request.POST:
        batch = running.top_up_batch(study, _number(request.POST["batch"]), number, actor=actor)
        return f"There are {batch.places} places in “{batch}” now."
    running.top_up(study, number, actor=actor)
    return f"There are {study.annotators_limit} places now."


def _number(text: str) -> int:
    """Read a count or an id; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@require_safe
@never_cache
@researcher_view()
def decisions(request: HttpRequest, study: Study) -> HttpResponse:
    """Show what the rules propose for everybody, and what was decided."""
    found = deciding.cases(study)
    proposals = deciding.open_proposals(found)
    context = page_context(request, study, current="decisions") | {
        "sheet": Paginator(deciding.to_look_at_first(found), PEOPLE_A_PAGE).get_page(request.GET.get("page")),
        "proposals": proposals,
        "to_approve": dict(proposals).get(Decision.APPROVE, 0),
        "options": list(Decision),
        "pay_lists": pay_lists.offered(study),
    }
    return render(request, "console/decisions.html", context)


@require_POST
@researcher_view("change")
def decide(request: HttpRequest, study: Study) -> HttpResponse:
    """Make one decision, where the platform's rules allow it."""
    name = request.POST.get("annotator", "")
    try:
        messages.success(request, f"{name}: {_decide(request, study, name)}.")
    except DuologueError as problem:
        messages.error(request, f"{name}: {problem.user_message}")
    page = _number(request.POST.get("page", ""))
    return redirect(reverse("decisions", args=[study.code]) + (f"?page={page}" if page > 1 else ""))


@require_POST
@researcher_view("change")
def approve_all(request: HttpRequest, study: Study) -> HttpResponse:
    """Approve everybody for whom the rules propose nothing else; a person has looked at how many they are."""
    seen = _number(request.POST.get("seen", ""))
    try:
        number = deciding.approve_all(study, seen=seen, actor=actor_of(request.user), now=timezone.now())
        messages.success(request, f"{number} approved. Each of them can be changed below.")
    except DuologueError as problem:
        messages.error(request, problem.user_message)
    return redirect("decisions", study.code)


def _decide(request: HttpRequest, study: Study, name: str) -> str:
    actor, seen = actor_of(request.user), request.POST.get("seen")
    if request.POST.get("decision") == UNDO:
        deciding.undo(study, name, seen=seen, actor=actor)
        return "nothing is decided any more"
    made = deciding.decide(
        study,
        name,
        _decision(request.POST.get("decision", "")),
        message=request.POST.get("message", ""),
        bonus=_amount(request.POST.get("bonus", "")),
        seen=seen,
        actor=actor,
        now=timezone.now(),
    )
    return made.decision


def _decision(text: str) -> Decision:
    try:
        return Decision(text)
    except ValueError as problem:
        raise DuologueError("Choose a decision.") from problem


def _amount(text: str) -> Decimal:
    """Read an amount of money; nothing is guessed of what could be read in two ways."""
    written = text.strip()
    if not written:
        return Decimal(0)
    if not _AMOUNT.fullmatch(written):
        raise DuologueError("Give the bonus as a number such as 1.50: digits, a point, at most two decimals.")
    return Decimal(written)


@require_POST
@never_cache
@researcher_view("change")
def pay_list(request: HttpRequest, study: Study, kind: str) -> HttpResponse:
    """Send a list of decisions with the platform's own ids. A POST, for it opens seals and leaves an event."""
    if kind not in list(PayList):
        raise Http404(f"There is no list called {kind}.")
    try:
        text = pay_lists.export(study, PayList(kind), actor=actor_of(request.user))
    except DuologueError as problem:
        messages.error(request, problem.user_message)
        return redirect("decisions", study.code)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    name = download_name(study, f"platform-{kind}.csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@never_cache
@researcher_view()
def decisions_file(request: HttpRequest, study: Study) -> HttpResponse:
    """Send the decisions as CSV; none of them where one does not keep the platform's rule."""
    try:
        lines = list(deciding.decisions_csv(study))
    except DuologueError as problem:
        messages.error(request, problem.user_message)
        return redirect("decisions", study.code)
    note_download(request, study, "decisions.csv")
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{download_name(study, "decisions.csv")}"'
    return response
