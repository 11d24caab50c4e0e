"""The start page: what a newcomer does first, and where every study stands."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Agent, Dialogue, Study
from annotation.services import generation, guide
from annotation.services.members import studies_of
from annotation.states import StudyState

STUDIES_SHOWN = 5


@dataclass(frozen=True)
class Step:
    """One thing that has to be there before people can judge."""

    title: str
    detail: str
    button: str
    link: str
    is_done: bool


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the first steps and the newest studies to the start page."""
    if not request.user.has_perm("annotation.view_study"):
        return context
    newest = studies_of(request.user).order_by("-created_at")[:STUDIES_SHOWN]
    standings = [guide.standing(study, now=timezone.now()) for study in newest]
    return context | {"title": "Start", "steps": first_steps(), "standings": standings}


def first_steps() -> list[Step]:
    """Say what is there and what is missing, in the order of the work."""
    dialogues, agents = Dialogue.objects.count(), Agent.objects.count()
    workers = len(generation.live_workers(now=timezone.now()))
    launched = Study.objects.exclude(state=StudyState.DRAFT).filter(rehearsal_of=None).count()
    return [
        Step(
            "Bring in dialogues",
            f"{dialogues} dialogues are there." if dialogues else "Upload a JSONL or CSV file into a collection.",
            "Import",
            reverse("admin:annotation_collection_add"),
            bool(dialogues),
        ),
        Step(
            "Choose the agents",
            f"{agents} agents are registered; the list says who serves them.",
            "Agents",
            reverse("admin:annotation_agent_changelist"),
            bool(agents),
        ),
        Step(
            "Start workers that write responses",
            f"{workers} up now." if workers else "None is up. An agent's page says which one it waits for.",
            "Workers",
            reverse("admin:annotation_worker_changelist"),
            bool(workers),
        ),
        Step(
            "Make a study and launch it",
            f"{launched} launched so far."
            if launched
            else "Choose dialogues, a matchup and criteria; the page leads on.",
            "New study",
            reverse("admin:annotation_study_add"),
            bool(launched),
        ),
    ]
