"""Read comparisons side by side, one after the other: dialogue, skill-of-mind, both answers, flags, provenance."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse

from annotation.admin.asking import AskingAdmin
from annotation.errors import DuologueError
from annotation.models import Comparison, Response, Study
from annotation.quality import NOTES, SENTENCES, Flag
from annotation.services import browsing
from annotation.services.browsing import NO_SKILL, STATES, Filters
from annotation.services.comparisons import attach_responses, why_unusable
from annotation.services.members import may
from annotation.states import StudyState


class BrowsingAdmin(AskingAdmin[Comparison]):
    """A table of comparisons with a page that shows one at a time."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.browse)
        return [path("browse/<int:study>/", view, name=self._name("browse")), *super().get_urls()]

    def browse(self, request: HttpRequest, study: int) -> HttpResponse:
        """Show the comparison that `at` names, or the first that the filters find."""
        of = get_object_or_404(Study, pk=study)
        if not may(request.user, "view", of):
            raise PermissionDenied("Your account may not see this study. Ask the person who manages accounts.")
        at = request.GET.get("at", "")
        if not at:
            _take_up_new_responses(of)
        filters = Filters(**{name: request.GET.get(name, "")[:200].replace("\x00", "") for name in vars(Filters())})
        found = browsing.find(of, filters)
        place = browsing.place_of(found, int(at[:18]) if at.isdecimal() else None)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Side by side: {of}",
            "opts": self.opts,
            "study": of,
            "filters": filters,
            "offers": browsing.offers(of),
            "states": STATES,
            "no_skill": NO_SKILL,
            "total": found.count(),
            "clear": self._link(of),
            **(self._shown(request, of, filters, place) if place else {}),
        }
        return render(request, "admin/annotation/browse.html", context)

    def _shown(self, request: HttpRequest, study: Study, filters: Filters, place: browsing.Place) -> dict[str, Any]:
        comparison = place.comparison
        here = self._link(study, filters, comparison.pk)
        buttons = self.buttons(request, comparison)
        return {
            "place": place,
            "comparison": comparison,
            "dialogue": comparison.dialogue,
            "answers": [_answer(comparison, role) for role in ("baseline", "treatment")],
            "held_back": why_unusable(comparison) if comparison.excluded_at is None else "",
            "before": self._link(study, filters, place.before),
            "after": self._link(study, filters, place.after),
            "buttons": [(button, f"{button.link}?{urlencode({'next': here})}") for button in buttons],
        }

    def _link(self, study: Study, filters: Filters | None = None, at: int | None = None) -> str:
        address = reverse(f"admin:{self._name('browse')}", args=[study.pk])
        if filters is None:
            return address
        return f"{address}?{urlencode({**filters.words(), 'at': at})}" if at else ""


def _take_up_new_responses(study: Study) -> None:
    """A draft shows the newest texts. Somebody may launch it at this very moment: then it shows what was launched."""
    if study.state == StudyState.DRAFT:
        try:
            attach_responses(study)
        except DuologueError:
            study.refresh_from_db()


def _answer(comparison: Comparison, role: str) -> dict[str, Any]:
    """Return what the page shows of one side."""
    response: Response | None = getattr(comparison, f"{role}_response")
    agent = getattr(comparison.matchup, role)
    flags = browsing.flags_of(comparison, response) if response else []
    thought = response.skill_of_mind if response else None
    return {
        "role": role,
        "agent": agent,
        "response": response,
        "thought": thought,
        "lender": thought.provenance.get("taken_from", {}).get("dialogue", "") if thought else "",
        "findings": [(flag, SENTENCES.get(Flag(flag), ""), flag in NOTES) for flag in flags if flag in set(Flag)],
        "is_normalised": bool(response and response.raw_text and response.raw_text != response.text),
        "facts": sorted(response.provenance.items()) if response else [],
    }
