"""Order new texts for the responses of one comparison, or for one response, and say so in the study's trail."""

from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.models import Comparison, Response, Study
from annotation.quality import identical, usable
from annotation.services.actors import Actor
from annotation.services.comparisons import note
from annotation.services.editing import require_draft
from annotation.services.generation import regenerate
from annotation.services.reasons import clean_reason
from annotation.states import StudyState


@transaction.atomic
def write_again(comparison: Comparison, reason: str, *, actor: Actor) -> int:
    """Order new texts for what is flagged in this comparison; return how many. Old texts stay.

    Raises: NoReason, StudyIsFrozen, and NotReady where an agent cannot write.
    """
    reason = clean_reason(reason)
    require_draft(comparison.study, "a response that is written again")
    chosen = written_here(comparison)
    run = regenerate(chosen, study=comparison.study, rethink=True)
    note(comparison, "regenerate", reason, about=chosen, actor=actor, run=run.pk)
    return len(chosen)


@transaction.atomic
def write_response_again(response: Response, reason: str, *, actor: Actor) -> None:
    """Order a new text in the place of one response. It stands in the trail of every study that compares it.

    Raises: NoReason, and NotReady where its agent cannot write.
    """
    reason = clean_reason(reason)
    run = regenerate([response])
    compared = Comparison.objects.filter(Q(baseline_response=response) | Q(treatment_response=response))
    for comparison in compared.order_by("study_id", "pk").distinct("study_id").select_related("study"):
        note(comparison, "regenerate", reason, about=[response], actor=actor, response=response.pk, run=run.pk)


def drafts_with(response: Response) -> QuerySet[Study]:
    """Return the drafts that compare this agent on this dialogue: they take up what is written in its place."""
    agent = response.agent_id
    compared = Comparison.objects.filter(
        Q(matchup__baseline=agent) | Q(matchup__treatment=agent), dialogue=response.dialogue_id
    )
    return Study.objects.filter(state=StudyState.DRAFT, comparisons__in=compared).distinct()


def written_here(comparison: Comparison) -> list[Response]:
    """Return the responses to write again: those with flaws, or else both; imported ones nobody here can write."""
    pair = [each for each in (comparison.baseline_response, comparison.treatment_response) if each is not None]
    ours = [response for response in pair if response.agent.responder_id is not None]
    if len(pair) == 2 and identical(pair[0].text, pair[1].text):
        return ours
    flawed = [response for response in ours if not usable(response.flags)]
    # Where one is missing, the fine one is not to blame.
    return flawed or (ours if len(pair) == 2 else [])
