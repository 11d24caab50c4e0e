"""A run's page on reference skills: how often the guidance named what people chose, and the files of it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from annotation.admin.asking import AskingAdmin
from annotation.models import GenerationRun
from annotation.services import reference_skills
from annotation.services.actors import actor_of
from annotation.services.trail import EXPORT_FIGURE, record
from annotation.skill_scores import SkillScore

FILES = {"skill-scores.csv": reference_skills.scores_csv, "skill-confusion.csv": reference_skills.confusion_csv}
# Larger runs have their figures on a page of their own alone: a run's page is asked for every few seconds.
SHOWN_AT_ONCE = 5_000


class SkillRunAdmin(AskingAdmin[GenerationRun]):
    """A run's page with the figures on reference skills, where its dialogues carry any."""

    def get_urls(self) -> list[URLPattern]:
        skills, file = (self.admin_site.admin_view(view) for view in (self.skills, self.skill_file))
        return [
            path("<int:pk>/skills/", skills, name=self._name("skills")),
            path("<int:pk>/skills/<str:name>", file, name=self._name("skill_file")),
            *super().get_urls(),
        ]

    def skills(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show every figure, and who was taken for whom."""
        run = self._run(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Reference skills: {run}",
            "opts": self.opts,
            "run": run,
            "scored": [(each, confusion_of(each.overall)) for each in reference_skills.scores_of(run)],
            "files": list(FILES),
        }
        return render(request, "admin/annotation/run_skills.html", context)

    def skill_file(self, request: HttpRequest, pk: int, name: str) -> StreamingHttpResponse:
        """Send one file of it."""
        run = self._run(request, pk)
        if name not in FILES:
            raise Http404(f"There is no file {name}.")
        if run.study and request.method == "GET":
            record(run.study, EXPORT_FIGURE, actor=actor_of(request.user), files=[name])
        response = StreamingHttpResponse(FILES[name](run), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="run-{run.pk}-{name}"'
        response["Cache-Control"] = "private, no-store"
        return response

    @admin.display(description="named as people did")
    def reference_figures(self, run: GenerationRun) -> SafeString | str:
        if not reference_skills.has_references(run):
            return "The dialogues of this run carry no reference skills."
        context = {
            "link": reverse(f"admin:{self._name('skills')}", args=[run.pk]),
            "scored": reference_skills.scores_of(run) if _is_small(run) else [],
        }
        return render_to_string("admin/annotation/run_skill_figures.html", context)

    def _run(self, request: HttpRequest, pk: int) -> GenerationRun:
        run = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        return run


def confusion_of(score: SkillScore) -> dict[str, Any]:
    """Return the confusion as a table: the skills that occur, true ones down, named ones across."""
    true = sorted({pair[0] for pair in score.confusion})
    said = sorted({pair[1] for pair in score.confusion}, key=lambda skill: (skill not in true, skill))
    rows = [(skill, [(other == skill, score.confusion.get((skill, other), 0)) for other in said]) for skill in true]
    return {"said": said, "rows": rows}


def _is_small(run: GenerationRun) -> bool:
    return sum(run.tallies.values_list("total", flat=True)) <= SHOWN_AT_ONCE
