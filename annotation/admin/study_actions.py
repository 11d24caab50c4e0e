"""What can be done to a study with one button: each asks first, says what happens, and calls one service."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from annotation.models import Study
from annotation.services import comparisons, generation, rehearsals, studies
from annotation.services.actors import Actor
from annotation.states import StudyState

ANY_STATE = frozenset(StudyState)
DRAFT = frozenset({StudyState.DRAFT})
LAUNCHED = frozenset({StudyState.RUNNING, StudyState.PAUSED})


@dataclass(frozen=True)
class StudyAction:
    """A button, the question it asks, and the service that it calls. `run` returns what happened, in a sentence."""

    key: str
    button: str
    icon: str
    explanation: str
    states: frozenset[StudyState]
    run: Callable[[Study, Actor], str]
    for_rehearsals: bool | None = None
    needs_readiness: bool = False
    is_final: bool = False

    def fits(self, study: Study) -> bool:
        """Whether the study is in a state for this action."""
        is_kind = self.for_rehearsals is None or self.for_rehearsals == study.is_rehearsal
        return is_kind and study.state in self.states


def _generate(study: Study, actor: Actor) -> str:
    prepared = studies.prepare_comparisons(study)
    run = generation.start_run(study)
    ordered = run.units.count()
    ready = f"{prepared.made + prepared.kept} comparisons prepared"
    if not ordered:
        comparisons.attach_responses(study)
        return f"{ready}; every response is there already."
    return f"{ready}; {ordered} texts ordered. They are written as soon as workers serve the models."


def _launch(study: Study, actor: Actor) -> str:
    studies.launch(study, actor=actor, now=timezone.now())
    return "The study runs. Send annotators the link on this page."


def _pause(study: Study, actor: Actor) -> str:
    studies.pause(study, actor=actor)
    return "The study is paused: what people hold they may still answer, and nobody gets a new comparison."


def _resume(study: Study, actor: Actor) -> str:
    studies.resume(study, actor=actor)
    return "The study runs again."


def _close(study: Study, actor: Actor) -> str:
    studies.close(study, actor=actor, now=timezone.now())
    return "The study is closed. The results show their final intervals."


def _rehearse(study: Study, actor: Actor) -> str:
    rehearsal = rehearsals.make_rehearsal(study, actor=actor)
    return f"“{rehearsal}” is a copy to try everything out on. Launch it, judge in it, and delete it again."


def _delete_rehearsal(study: Study, actor: Actor) -> str:
    name = study.name
    rehearsals.delete_rehearsal(study, actor=actor)
    return f"“{name}” and everything that was judged in it are gone."


ACTIONS = {
    action.key: action
    for action in [
        StudyAction(
            "generate",
            "Generate responses",
            "play_arrow",
            "Makes the comparisons from the dialogues and matchups as they are saved, and orders every response that "
            "is not there yet. Responses that were made with the same settings are used again.",
            DRAFT,
            _generate,
        ),
        StudyAction(
            "launch",
            "Launch",
            "rocket_launch",
            "Freezes what annotators see, fixes the sides of every comparison, and opens the study to everybody who "
            "has the link. This cannot be taken back; a launched study can be paused and closed.",
            DRAFT,
            _launch,
            needs_readiness=True,
        ),
        StudyAction(
            "pause",
            "Pause",
            "pause",
            "People finish the comparison that they hold; nobody gets a new one until you resume.",
            frozenset({StudyState.RUNNING}),
            _pause,
        ),
        StudyAction(
            "resume",
            "Resume",
            "play_arrow",
            "Comparisons are handed out again.",
            frozenset({StudyState.PAUSED}),
            _resume,
        ),
        StudyAction(
            "close",
            "Close",
            "flag",
            "Ends the study for good. Comparisons in people's hands are taken back; late answers are thanked for and "
            "kept outside the results. The results change from the running band to their final intervals.",
            LAUNCHED,
            _close,
            is_final=True,
        ),
        StudyAction(
            "rehearse",
            "Make a rehearsal",
            "theater_comedy",
            "Copies the study with its comparisons, to be judged by your team or by simulated annotators. It shares "
            "the responses and nothing else: no judgement of a rehearsal ever enters the results.",
            ANY_STATE,
            _rehearse,
            for_rehearsals=False,
        ),
        StudyAction(
            "delete-rehearsal",
            "Delete this rehearsal",
            "delete",
            "Deletes the copy with all its annotators and judgements. The study it was made from stays as it is.",
            ANY_STATE,
            _delete_rehearsal,
            for_rehearsals=True,
            is_final=True,
        ),
    ]
}
