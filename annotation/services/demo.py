"""The demo study: a small model alone against itself with a skill-of-mind, on bundled dialogues, judged from scratch.

Each step may be repeated: a demo that was interrupted goes on where it was.
"""

from datetime import datetime

from django.db import transaction

from annotation.criteria import USUAL_CRITERIA
from annotation.errors import DuologueError
from annotation.models import Agent, Criterion, GenerationRun, Matchup, Study
from annotation.services.comparisons import exclude_comparison, find_unusable, prepare_comparisons
from annotation.services.generation import regenerate, start_run, unusable
from annotation.services.importing import import_bundled
from annotation.services.registry import DEMO_BASELINE, DEMO_TREATMENT, ensure_registry
from annotation.services.studies import launch
from annotation.states import RunState, StudyState

NAME = "Demo: a small model, alone and with the demo augmenter"
DIALOGUES = 24
KEPT_AT_LEAST = 20
JUDGEMENTS = 3

INSTRUCTIONS = (
    "You read short conversations. Under each one stand two ways in which it could go on. "
    "For every question choose the response that fits better, or say that they are about the same. "
    "There are no right answers to find: we want your own view. Responses may be clumsy; choose all the same."
)
CONSENT = (
    "This is a demo on your own machine. It asks which of two responses you prefer and stores your answers and the "
    "time they took, with a random code and without your name. You may stop at any moment by closing the page."
)


class DemoFailed(DuologueError):
    """The demo cannot be made ready."""


@transaction.atomic
def demo_study() -> Study:
    """Return the demo study; on the first call it is made as a draft with its comparisons, without any response."""
    ensure_registry()
    collection = import_bundled()
    found = Study.objects.filter(name=NAME, rehearsal_of=None).first()
    if found is not None:
        return found
    study = Study.objects.create(
        name=NAME,
        title="Which response would you rather get?",
        dialogues_limit=DIALOGUES,
        judgements_per_comparison=JUDGEMENTS,
        quota_per_annotator=DIALOGUES,
        instructions=INSTRUCTIONS,
        consent_text=CONSENT,
    )
    study.collections.set([collection])
    _add_questions(study)
    prepare_comparisons(study)
    return study


def _add_questions(study: Study) -> None:
    baseline, treatment = (Agent.objects.get(name=name) for name in (DEMO_BASELINE, DEMO_TREATMENT))
    Matchup.objects.create(study=study, baseline=baseline, treatment=treatment)
    for position, preset in enumerate(USUAL_CRITERIA):
        Criterion.objects.create(
            study=study,
            key=preset.key,
            name=preset.name,
            question=preset.question,
            definition=preset.definition,
            position=position,
        )


def order_responses(study: Study, *, now: datetime) -> GenerationRun:
    """Return the run that writes the study's responses, started unless it goes on already."""
    going_on = GenerationRun.objects.filter(study=study, state=RunState.RUNNING).first()
    return going_on or start_run(study, now=now)


def order_again(study: Study, *, rethink: bool, now: datetime) -> list[GenerationRun]:
    """Order what is unusable or missing again, with new seeds; no run where every response is usable.

    With `rethink` the skill-of-mind is written again as well.
    """
    lacking = unusable(study)
    flagged = [lack.response for lack in lacking if lack.response is not None]
    runs = [regenerate(flagged, study=study, rethink=rethink, now=now)] if flagged else []
    return [*runs, start_run(study, now=now)] if len(flagged) < len(lacking) else runs


def launch_demo(study: Study, *, now: datetime) -> int:
    """Exclude what is still unusable and open the study. Returns how many dialogues were excluded.

    Raises: DemoFailed when fewer than 20 of the 24 dialogues would be left.
    """
    prepare_comparisons(study)
    lacking = find_unusable(study)
    kept = study.comparisons.filter(excluded_at=None).count() - len(lacking)
    if kept < KEPT_AT_LEAST:
        raise DemoFailed(
            f"Only {kept} of {DIALOGUES} dialogues have two usable responses; the demo needs {KEPT_AT_LEAST}. "
            f"Start again to have the others written anew. The first problem: {lacking[0].reason}"
        )
    for problem in lacking:
        reason = f"Still unusable after it was written three times: {problem.reason}"
        exclude_comparison(problem.comparison, reason, actor=None, now=now)
    launch(study, actor=None, now=now)
    return len(lacking)


def is_open(study: Study) -> bool:
    """Tell whether people can rate, or could: the demo is past its making."""
    return study.state != StudyState.DRAFT
