"""Where a study stands and what to do next, in words: the panel on its page and the start page read it from here."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from annotation.models import Assignment, Comparison, Slot, Study
from annotation.services import comparisons, generation, recruiting, studies
from annotation.services.editing import StudyIsFrozen
from annotation.states import AssignmentState, ComparisonKind, RunState, StudyState


@dataclass(frozen=True)
class Counts:
    """Numbers of a study. Slots are the judgements it needs, for all criteria at once."""

    comparisons: int
    excluded: int
    without_responses: int
    slots: int
    judged: int
    held: int
    annotators: int


@dataclass(frozen=True)
class Standing:
    """What stands in the way, what is going on, and the one sentence that says what to do next."""

    study: Study
    counts: Counts
    next_step: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    run: generation.Progress | None = None

    @property
    def is_moving(self) -> bool:
        """Whether figures change by themselves, so that a page should ask again."""
        return self.study.state == StudyState.RUNNING or self.is_generating

    @property
    def is_generating(self) -> bool:
        return self.run is not None and self.run.state == RunState.RUNNING

    @property
    def can_launch(self) -> bool:
        return self.study.state == StudyState.DRAFT and not self.problems


def standing(study: Study, *, now: datetime) -> Standing:
    """Look at everything that a researcher has to know about a study now."""
    counts = count(study)
    if study.state != StudyState.DRAFT:
        return Standing(study, counts, _after_launch(study, counts))
    newest = study.runs.order_by("-pk").first()
    run = generation.progress(newest, now=now) if newest else None
    if run and run.state != RunState.RUNNING and counts.without_responses:
        try:
            comparisons.attach_responses(study)
        except StudyIsFrozen:
            # Launched since this page read it.
            return standing(Study.objects.get(pk=study.pk), now=now)
        counts = count(study)
    problems = tuple(studies.validate_study(study))
    return Standing(
        study=study,
        counts=counts,
        next_step=_before_launch(counts, problems, run),
        problems=problems,
        warnings=(*studies.capacity_warnings(study), *recruiting.problems(study)),
        waits=_waits(study, now) if counts.without_responses or not counts.comparisons else (),
        run=run,
    )


def count(study: Study) -> Counts:
    """Count what a study is made of and how far it is."""
    lacking = Q(excluded_at=None) & (Q(baseline_response=None) | Q(treatment_response=None))
    made = (
        Comparison.objects.filter(study=study)
        .exclude(kind=ComparisonKind.REPEAT)
        .aggregate(
            comparisons=Count("pk"),
            excluded=Count("pk", filter=~Q(excluded_at=None)),
            without_responses=Count("pk", filter=lacking),
        )
    )
    main = {"comparison__kind": ComparisonKind.MAIN, "comparison__excluded_at": None}
    shown = Assignment.objects.filter(comparison__study=study, **main)
    held = shown.aggregate(
        judged=Count("pk", filter=Q(state=AssignmentState.SUBMITTED)),
        held=Count("pk", filter=Q(state=AssignmentState.CLAIMED)),
    )
    slots = Slot.objects.filter(study=study, **main).count()
    return Counts(**made, **held, slots=slots, annotators=study.annotators.count())


def _before_launch(counts: Counts, problems: tuple[str, ...], run: generation.Progress | None) -> str:
    if run and run.state == RunState.RUNNING:
        return f"Responses are being written: {run.done} of {run.total} texts are there."
    if not counts.comparisons:
        return "Choose dialogues, criteria and a matchup and save; then generate the responses."
    if counts.without_responses:
        return f"Generate the responses: {counts.without_responses} comparisons wait for theirs."
    if problems:
        return "Mend what is listed here; then the study can be launched."
    return "Everything is ready. Look at it as an annotator does, rehearse it if you like, and launch it."


def _after_launch(study: Study, counts: Counts) -> str:
    done = f"{counts.judged} of {counts.slots} judgements are in."
    if study.state == StudyState.CLOSED:
        return f"The study is closed. {done} Read the results and take the files with you."
    if study.state == StudyState.PAUSED:
        return f"The study is paused: nobody gets a new comparison. {done}"
    if counts.slots and counts.judged >= counts.slots:
        return f"{done} Close the study; the results then show their final intervals."
    return f"Send annotators their link. {done}"


def _waits(study: Study, now: datetime) -> tuple[str, ...]:
    served = [(agent, generation.who_serves(agent, now=now)) for agent in generation.agents_of(study)]
    return tuple(f"{agent}: {state.sentence}" for agent, state in served if not state.is_served)
