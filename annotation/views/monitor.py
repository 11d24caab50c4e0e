"""How a running study goes: progress, who is at it, what they report, and how long it takes them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.models import Study
from annotation.reporting.dots import dots
from annotation.services import monitoring
from annotation.views.access import researcher_view
from annotation.views.results import page_context


@require_safe
@never_cache
@researcher_view()
def monitor(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the study's figures of this moment; htmx asks for the part that moves."""
    now = monitoring.look(study, now=timezone.now())
    floor = float(study.hourly_floor) if study.hourly_floor is not None else None
    plot = dots([float(each) for each in now.pay.hourly], floor=floor) if now.pay else None
    context = page_context(request, study, current="monitor") | {"now": now, "plot": plot}
    template = "console/monitor.html#figures" if request.headers.get("HX-Request") else "console/monitor.html"
    return render(request, template, context)
