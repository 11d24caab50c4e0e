"""The panel at the top of a study's page, and the page on which each of its buttons asks before it acts."""

from http import HTTPMethod
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from annotation.admin.study_actions import ACTIONS, StudyAction
from annotation.errors import DuologueError
from annotation.models import Study
from annotation.services import guide
from annotation.services.actors import actor_of
from annotation.views.access import may


def panel_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Return what the panel shows: where the study stands, and the buttons that fit."""
    may_change = may(request.user, "change", study)
    return {
        "study": study,
        "standing": guide.standing(study, now=timezone.now()),
        "buttons": [action for action in ACTIONS.values() if may_change and action.fits(study)],
        "annotators_link": request.build_absolute_uri(reverse("annotator:landing", args=[study.code]))
        if study.is_frozen
        else "",
    }


def panel(request: HttpRequest, study_id: int) -> HttpResponse:
    """Draw the panel anew: the page asks for it every few seconds while something moves."""
    study = get_object_or_404(Study, pk=study_id)
    if not may(request.user, "view", study):
        raise PermissionDenied
    return render(request, "admin/annotation/study/panel.html", panel_context(request, study))


def act(request: HttpRequest, study_id: int, key: str, *, site: AdminSite) -> HttpResponse:
    """Ask on GET, do it on POST, and say what happened or why not."""
    study = get_object_or_404(Study, pk=study_id)
    action = ACTIONS.get(key)
    if action is None:
        raise Http404(f"There is no action {key}.")
    if not may(request.user, "delete" if key == "delete-rehearsal" else "change", study):
        raise PermissionDenied
    if request.method == HTTPMethod.POST:
        return _do(request, study, action)
    context = {
        **site.each_context(request),
        **panel_context(request, study),
        "action": action,
        "title": f"{action.button}: {study}",
        "opts": Study._meta,
    }
    return render(request, "admin/annotation/study/act.html", context)


def _do(request: HttpRequest, study: Study, action: StudyAction) -> HttpResponse:
    original = study.rehearsal_of
    try:
        messages.success(request, action.run(study, actor_of(request.user)))
    except DuologueError as problem:
        messages.error(request, problem.user_message)
        return redirect("admin:annotation_study_change", study.pk)
    if action.key == "delete-rehearsal" and original:
        study = original
    if action.key == "rehearse":
        study = study.rehearsals.latest("pk")
    return redirect("admin:annotation_study_change", study.pk)
