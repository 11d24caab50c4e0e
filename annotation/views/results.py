"""The results of a study: one answer, and every figure behind it, live while the study runs."""

import hashlib
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.models import Study
from annotation.reporting.planned import planned_card
from annotation.services import generation, guide, planning, prompts, reading
from annotation.services.exports.bundle import DOWNLOADS
from annotation.services.exports.files import download_name
from annotation.services.figures import figure_csv, figure_svg, said_of
from annotation.services.members import may
from annotation.services.trail import EXPORT_FIGURE
from annotation.states import StudyState
from annotation.views.access import note_download, researcher_view
from annotation.views.filters import FilterForm, filter_form

# How often an open page asks whether there is something new: while the study runs, and while a worker computes.
SECONDS_RUNNING = 20
SECONDS_WAITING = 5


@require_safe
@never_cache
@researcher_view()
def results(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the report of the study; htmx asks for it again and is told when nothing has changed."""
    form = filter_form(study, request.GET)
    found = reading.read(study, form.filters(), now=timezone.now())
    stamp = _stamp(study, found)
    is_asked_again = bool(request.headers.get("HX-Request"))
    if is_asked_again and request.GET.get("seen") == stamp:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = page_context(request, study, current="results") | _report_context(request, study, form, found, stamp)
    return render(request, f"console/results.html{'#report' if is_asked_again else ''}", context)


def _stamp(study: Study, found: reading.Reading) -> str:
    """Name what the page shows, so that a page that asks again learns whether it is still the same."""
    parts = [study.state, found.shown.computed_at, found.shown.is_current, found.beside]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _report_context(
    request: HttpRequest, study: Study, form: FilterForm, found: reading.Reading, stamp: str
) -> dict[str, Any]:
    query = request.GET.copy()
    query.pop("seen", None)
    is_waiting = not found.shown.is_current
    asks = study.state == StudyState.RUNNING or is_waiting
    names = dict(study.criteria.values_list("key", "name"))
    return {
        "report": found.shown.content,
        "reason": found.shown.reason,
        "computed_at": found.shown.computed_at,
        "is_current": found.shown.is_current,
        "reading": found,
        "page": found.page,
        "form": form,
        "query": query.urlencode(),
        "stamp": stamp,
        "asks_every": (SECONDS_WAITING if is_waiting else SECONDS_RUNNING) if asks else 0,
        "counts": guide.count(study),
        "files": DOWNLOADS,
        "planned": planned_card(planning.stored_plan(study), found.shown.content, names),
    }


@require_safe
@never_cache
@researcher_view()
def figure(request: HttpRequest, study: Study, key: str, ending: str) -> StreamingHttpResponse:
    """Send one figure of the report as the page shows it, as a picture or as its numbers."""
    found = reading.read(study, filter_form(study, request.GET).filters(), now=timezone.now())
    wanted = found.figure(key)
    if wanted is None or found.shown.content is None or found.shown.computed_at is None:
        raise Http404(f"There is no figure called {key}.")
    note_download(request, study, f"{key}.{ending}", verb=EXPORT_FIGURE)
    said = said_of(study, found.shown.content, found.shown.computed_at)
    is_picture = ending == "svg"
    pieces = iter([figure_svg(wanted, said)]) if is_picture else figure_csv(wanted, said)
    kind = "image/svg+xml" if is_picture else "text/csv"
    response = StreamingHttpResponse(pieces, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{download_name(study, f"{key}.{ending}")}"'
    response["Cache-Control"] = "private, no-store"
    return response


def page_context(request: HttpRequest, study: Study, *, current: str) -> dict[str, Any]:
    """Return what the head of every researcher's page of a study shows."""
    return {
        "study": study,
        "current": current,
        "is_open": study.state in (StudyState.RUNNING, StudyState.PAUSED),
        "may_change": may(request.user, "change", study),
        "agent_notes": generation.notes_of(study),
        "prompt_sets": prompts.used_in(study),
    }
