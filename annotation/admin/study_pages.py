"""The panel at the top of a study's page: where it stands, what to do next, and the buttons for it."""

from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone

from annotation.admin.asking import AskingAdmin, RowAction
from annotation.admin.datasheets import datasheet
from annotation.admin.membership import OfStudy
from annotation.admin.recruiting import entry_address
from annotation.admin.study_actions import ACTIONS, DELETE_REHEARSAL, GENERATE, LAUNCH, REHEARSE, RESUME
from annotation.models import Recruitment, Study
from annotation.services import generation, guide, prompts
from annotation.services.exports.bundle import DOWNLOADS
from annotation.services.members import may
from annotation.states import StudyState


class GuidedStudyAdmin(OfStudy[Study], AskingAdmin[Study]):
    """A study's page with its panel. What the settings look like is said in annotation.admin.studies."""

    study_path = ""
    row_actions = ACTIONS
    change_form_outer_before_template = "admin/annotation/study/guide.html"

    def get_urls(self) -> list[URLPattern]:
        panel = self.admin_site.admin_view(self.panel)
        sheet = self.admin_site.admin_view(self.datasheet)
        return [
            path("<int:pk>/panel/", panel, name=self._name("panel")),
            path("<int:pk>/datasheet/", sheet, name=self._name("datasheet")),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if study := context.get("original"):
            context |= self.panel_context(request, study)
        return super().render_change_form(request, context, *args, **kwargs)

    def panel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Draw the panel anew: the page asks for it every few seconds while something moves."""
        study = get_object_or_404(Study, pk=pk)
        if not may(request.user, "view", study):
            raise PermissionDenied
        return render(request, "admin/annotation/study/panel.html", self.panel_context(request, study))

    def datasheet(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for what the datasheet cannot take from the study's records."""
        return datasheet(request, pk, {**self.admin_site.each_context(request), "opts": self.opts})

    def panel_context(self, request: HttpRequest, study: Study) -> dict[str, Any]:
        """Return what the panel shows."""
        standing = guide.standing(study, now=timezone.now())
        buttons = [replace(each, is_main=each.text == _main(standing)) for each in self.buttons(request, study)]
        return {
            "study": study,
            "standing": standing,
            "buttons": buttons,
            "agent_notes": generation.notes_of(study),
            "prompt_sets": prompts.used_in(study),
            "annotators_link": entry_address(request, study) if study.is_frozen else "",
            "recruitment": Recruitment.objects.filter(study=study).first(),
            "files": DOWNLOADS,
        }

    def question(self, request: HttpRequest, row: Study, action: RowAction[Any]) -> dict[str, Any]:
        """Before a launch, say what is in the way; before an order, who would have to be there."""
        asked = super().question(request, row, action)
        standing = guide.standing(row, now=timezone.now())
        if action is LAUNCH:
            asked |= {"problems": standing.problems, "warnings": standing.warnings}
        if action is GENERATE:
            asked |= {"warnings": standing.waits}
        return asked

    def after(self, row: Study, action: RowAction[Any], pk: int) -> str:
        """Go on to the rehearsal that was made, or back to the study that it was made of."""
        to = pk
        if action is DELETE_REHEARSAL and row.rehearsal_of_id and not Study.objects.filter(pk=pk).exists():
            to = row.rehearsal_of_id
        if action is REHEARSE:
            to = max([pk, *row.rehearsals.values_list("pk", flat=True)])
        return super().after(row, action, to)


def _main(standing: guide.Standing) -> str:
    """Return the text of the button that comes next."""
    if standing.can_launch:
        return LAUNCH.button
    if standing.study.state == StudyState.DRAFT and not standing.is_generating:
        return GENERATE.button
    return RESUME.button
