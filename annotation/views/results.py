"""The results of a study: one answer, and every figure behind it, live while the study runs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.models import Study
from annotation.reporting.page import matchup_pages
from annotation.services import generation, guide, reports
from annotation.services.exports.files import FILES
from annotation.services.members import may
from annotation.states import StudyState
from annotation.views.access import researcher_view


@require_safe
@never_cache
@researcher_view()
def results(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the report of the study."""
    shown = reports.show(study, now=timezone.now())
    names = dict(study.criteria.values_list("key", "name"))
    context = {
        **page_context(request, study, current="results"),
        "report": shown.content,
        "reason": shown.reason,
        "computed_at": shown.computed_at,
        "is_current": shown.is_current,
        "matchups": matchup_pages(shown.content, names) if shown.content else [],
        "counts": guide.count(study),
        "files": FILES.values(),
    }
    return render(request, "console/results.html", context)


def page_context(request: HttpRequest, study: Study, *, current: str) -> dict[str, Any]:
    """Return what the head of every researcher's page of a study shows."""
    return {
        "study": study,
        "current": current,
        "is_open": study.state in (StudyState.RUNNING, StudyState.PAUSED),
        "may_change": may(request.user, "change", study),
        "agent_notes": generation.notes_of(study),
    }
