"""Order new texts for the responses of one comparison, with the reason in the study's trail."""

from django.db import transaction

from annotation.models import Comparison, Response
from annotation.quality import identical, usable
from annotation.services.actors import Actor
from annotation.services.editing import require_draft
from annotation.services.generation import regenerate
from annotation.services.reasons import clean_reason
from annotation.services.trail import record


@transaction.atomic
def write_again(comparison: Comparison, reason: str, *, actor: Actor) -> int:
    """Order new texts for what is flagged in this comparison; return how many. Old texts stay.

    Raises: NoReason, StudyIsFrozen, and NotReady where an agent cannot write.
    """
    reason = clean_reason(reason)
    require_draft(comparison.study, "a response that is written again")
    chosen = written_here(comparison)
    run = regenerate(chosen, study=comparison.study, rethink=True)
    record(
        comparison.study,
        "regenerate",
        actor=actor,
        comparison=str(comparison.code),
        reason=reason,
        responses=[{"agent": response.agent.name, "flags": response.flags} for response in chosen],
        run=run.pk,
    )
    return len(chosen)


def written_here(comparison: Comparison) -> list[Response]:
    """Return the responses to write again: those with flaws, or else all; imported ones nobody here can write."""
    pair = [each for each in (comparison.baseline_response, comparison.treatment_response) if each is not None]
    ours = [response for response in pair if response.agent.responder_id is not None]
    if len(pair) == 2 and identical(pair[0].text, pair[1].text):
        return ours
    return [response for response in ours if not usable(response.flags)] or ours
