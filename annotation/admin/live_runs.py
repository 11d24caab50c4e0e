"""How far a run is, on its page: drawn anew every few seconds while something moves."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from annotation.admin.asking import AskingAdmin
from annotation.models import GenerationRun
from annotation.services import generation
from annotation.services.generation.wording import cost_of_thinking, describe, in_all
from annotation.states import RunState

TEMPLATE = "admin/annotation/run_parts.html"


class LiveRunAdmin(AskingAdmin[GenerationRun]):
    """A run's page with its progress, live."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.progress)
        return [path("<int:pk>/progress/", view, name=self._name("progress")), *super().get_urls()]

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Draw the progress anew."""
        run = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        context = _context(run)
        response = render(request, TEMPLATE, context)
        if not context["is_moving"]:
            # The page asks while its run moves: now its state, its buttons and the reasons of failures are others, too.
            response["HX-Refresh"] = "true"
        return response

    @admin.display(description="by stage and model")
    def parts(self, run: GenerationRun) -> SafeString:
        return render_to_string(TEMPLATE, _context(run))


def _context(run: GenerationRun) -> dict[str, Any]:
    now = generation.progress(run, now=timezone.now())
    return {
        "progress": now,
        "is_moving": now.state == RunState.RUNNING,
        "stages": [(stage, describe(stage)) for stage in now.stages],
        "in_all": in_all(now),
        "cost": cost_of_thinking(now) if now.thinks else "",
    }
