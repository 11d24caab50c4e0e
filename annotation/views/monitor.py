"""How a running study goes: progress, who is at it, what they report, and how long it takes them."""

import math
import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.models import Study
from annotation.reporting.dots import dots
from annotation.services import monitoring
from annotation.states import StudyState
from annotation.views.access import researcher_view
from annotation.views.results import page_context

SECONDS_RUNNING, SECONDS_PAUSED = 5, 30
"""While a study is paused people still answer what they hold, and somebody may let it go on."""
LARGEST_SHARE = 1 / 50
"""An open page asks for no more of a web process than this, however many people take part."""


def pause_between(took: float, *, is_running: bool) -> int:
    """Return after how many seconds an open page asks again for figures that took so many seconds to gather."""
    return max(SECONDS_RUNNING if is_running else SECONDS_PAUSED, math.ceil(took / LARGEST_SHARE))


@require_safe
@never_cache
@researcher_view()
def monitor(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the study's figures of this moment; htmx asks for the part that moves."""
    began = time.perf_counter()
    now = monitoring.look(study, now=timezone.now())
    took = time.perf_counter() - began
    floor = float(study.hourly_floor) if study.hourly_floor is not None else None
    plot = dots([float(each) for each in now.pay.hourly], floor=floor) if now.pay else None
    is_open = study.state in {StudyState.RUNNING, StudyState.PAUSED}
    context = page_context(request, study, current="monitor") | {
        "now": now,
        "plot": plot,
        "asks_every": pause_between(took, is_running=study.state == StudyState.RUNNING) if is_open else 0,
    }
    template = "console/monitor.html#figures" if request.headers.get("HX-Request") else "console/monitor.html"
    return render(request, template, context)
