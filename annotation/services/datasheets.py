"""The datasheet of a study: facts from its records, answers of its researchers, and what is still open."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Value
from django.db.models.functions import Coalesce

from annotation.answers import BOTH_BAD, AnswerRules, strength
from annotation.datasheet.facts import CheckFacts, CriterionFacts, PeopleFacts, StudyFacts, TimeFacts, TrainingFacts
from annotation.datasheet.questions import BY_NUMBER
from annotation.datasheet.sheet import Entry, Key, Said, fill_in
from annotation.errors import DuologueError
from annotation.models import Assignment, CheckResult, DatasheetAnswer, Event, Response, StepAttempt, Study
from annotation.results.power import power
from annotation.services import generation
from annotation.services.actors import Actor
from annotation.services.flows import read_steps
from annotation.services.monitoring import SECONDS, Percentile
from annotation.services.planning import stored_plan
from annotation.services.trail import EXPORT_BUNDLE, record
from annotation.states import AssignmentState, Exit

# Words of grades as the rating page has them.
GRADES = {"five": ("a bit better", "much better"), "seven": ("a bit better", "better", "much better")}
LONGEST = 4000


class NoSuchQuestion(DuologueError):
    """An answer to a question, of a criterion or with a choice that the datasheet does not have."""


def entries(study: Study, report: Mapping[str, Any] | None) -> list[Entry]:
    """Return every question of the datasheet with its answer. `report`: the study's figures, None without any."""
    return fill_in(gather(study, report), answers_of(study))


def answers_of(study: Study) -> dict[Key, Said]:
    """Return what researchers have answered."""
    rows = study.datasheet_answers.values_list("number", Coalesce("criterion__key", Value("")), "choice", "text")
    return {(number, key): Said(choice, text) for number, key, choice, text in rows}


@transaction.atomic
def save_answers(study: Study, said: Mapping[Key, Said], *, actor: Actor) -> int:
    """Store answers; an empty one takes an earlier one away. Returns how many questions changed.

    Raises: NoSuchQuestion.
    """
    before, criteria = answers_of(study), {criterion.key: criterion for criterion in study.criteria.all()}
    changed = {key: each for key, each in said.items() if before.get(key, Said()) != each}
    for (number, key), each in changed.items():
        _refuse_unknown(number, key, each, criteria)
        mine = study.datasheet_answers.filter(number=number, criterion=criteria.get(key))
        if not (each.choice or each.text):
            mine.delete()
            continue
        DatasheetAnswer.objects.update_or_create(
            study=study,
            number=number,
            criterion=criteria.get(key),
            defaults={"choice": each.choice, "text": each.text},
        )
    if changed:
        record(study, "datasheet", actor=actor, numbers=sorted({number for number, _ in changed}))
    return len(changed)


def _refuse_unknown(number: str, key: str, said: Said, criteria: Mapping[str, Any]) -> None:
    question = BY_NUMBER.get(number)
    if (
        question is None
        or not question.is_asked
        or question.is_per_criterion != bool(key)
        or (key and key not in criteria)
    ):
        raise NoSuchQuestion(f"The datasheet has no question {number} {key}".strip() + " to be answered by hand.")
    if said.choice and said.choice not in question.choices:
        raise NoSuchQuestion(f"Question {number} has no choice “{said.choice}”. Choose one of those on the page.")
    if len(said.text) > LONGEST:
        raise NoSuchQuestion(f"The answer to question {number} is too long: shorten it to {LONGEST:,} characters.")


def newest_bundle(study: Study) -> Event | None:
    """Return the trail's note on the bundle that was made last."""
    return study.events.filter(verb=EXPORT_BUNDLE).order_by("-pk").first()


def gather(study: Study, report: Mapping[str, Any] | None) -> StudyFacts:
    """Read everything that the automatic answers are made of."""
    rules = AnswerRules(study.scale, study.offers_both_bad, study.reason_from_strength)
    shown = study.comparisons.filter(excluded_reason="")
    return StudyFacts(
        name=study.name,
        title=study.title,
        state=study.state,
        is_rehearsal=study.is_rehearsal,
        frozen_sha256=study.frozen_sha256,
        launched_at=study.launched_at.isoformat(timespec="seconds") if study.launched_at else "",
        seed=study.seed,
        languages=_tallied(shown.values_list("dialogue__language").annotate(n=Count("dialogue", distinct=True))),
        collections=tuple(map(_source_of, study.collections.order_by("name"))),
        outputs=_outputs(shown),
        notes={agent.name: note for agent, note in generation.notes_of(study)},
        dialogues=shown.values("dialogue").distinct().count(),
        dialogues_limit=study.dialogues_limit,
        dialogues_available=sum(each.dialogues.count() for each in study.collections.all()),
        excluded=_tallied(
            study.comparisons.exclude(excluded_reason="").values_list("excluded_reason").annotate(n=Count("pk"))
        ),
        released=shown.exclude(released_reason="").count(),
        kinds=_tallied(shown.values_list("kind").annotate(n=Count("pk"))),
        planned=_planned(study),
        training=_training(study),
        checks=_checks(study),
        k=study.judgements_per_comparison,
        quota=study.quota_per_annotator,
        lease_minutes=study.lease_minutes,
        choices=tuple(choice_words(value, study.scale) for value in rules.values()),
        offers_both_bad=study.offers_both_bad,
        is_graded=study.scale in GRADES,
        shuffles_criteria=study.shuffles_criteria,
        asks_reason=rules.asks_reason,
        contact=study.contact,
        payment=study.payment,
        consent_version=study.consent_version,
        has_instructions=bool(study.instructions.strip()),
        feedbacks=study.annotators.exclude(feedback="").count(),
        problem_reports=study.problem_reports.values("assignment__annotator").distinct().count(),
        people=_people(study, report),
        times=_times(study),
        criteria=tuple(CriterionFacts(c.key, c.name, c.question, c.definition) for c in study.criteria.all()),
        report=report,
    )


def _planned(study: Study) -> str:
    found = stored_plan(study)
    if found is None:
        return ""
    plan = found.plan
    return (
        f"Planned before the launch: {plan.n_items:,} dialogues with {plan.k} judgements each by {plan.n_annotators:,} "
        f"annotators, to find a win score {100 * found.effect:.1f} points from one half; power "
        f"{power(plan, found.effect):.2f} by the spread of {found.source}."
    )


def _training(study: Study) -> TrainingFacts:
    steps = read_steps(study)
    through = StepAttempt.objects.filter(annotator__study=study, is_right=True).values_list("step")
    return TrainingFacts(
        examples=len(steps.examples),
        questions=len(steps.comprehension),
        attempts=study.comprehension_attempts,
        exercises=len(steps.training),
        exercises_needed=study.training_needed,
        checks_device=bool(study.device_check),
        passed=_tallied(through.annotate(n=Count("annotator", distinct=True))),
    )


def _checks(study: Study) -> CheckFacts:
    results = CheckResult.objects.filter(annotator__study=study)
    return CheckFacts(
        attention_every=study.check_every,
        gold_every=study.gold_every,
        repeat_every=study.repeat_every,
        answered=results.count(),
        passed=results.filter(is_passed=True).count(),
        gold_answers=study.gold_answers.count(),
    )


def choice_words(value: str, scale: str) -> str:
    """Return an answer as the rating page words it."""
    if value == BOTH_BAD:
        return "Both bad"
    if strength(value) == 0:
        return "About the same"
    side = "Left" if int(value) < 0 else "Right"
    return f"{side} {GRADES[scale][strength(value) - 1]}" if scale in GRADES else side


def _tallied(rows: Any) -> dict[str, int]:
    return {str(name): n for name, n in sorted(rows.order_by(), key=lambda row: (-row[1], str(row[0])))}


def _source_of(collection: Any) -> str:
    said = [part for part in (collection.source, collection.licence) if part]
    return f"“{collection.name}”" + (f" ({', '.join(said)})" if said else "")


def _outputs(shown: Any) -> dict[str, int]:
    ids = [shown.order_by().values(side) for side in ("baseline_response", "treatment_response")]
    judged = Response.objects.filter(Q(pk__in=ids[0]) | Q(pk__in=ids[1]))
    return _tallied(judged.values_list("agent__name").annotate(n=Count("pk")))


def _people(study: Study, report: Mapping[str, Any] | None) -> PeopleFacts:
    people = study.annotators.aggregate(
        consented=Count("pk"),
        instructed=Count("pk", filter=~Q(instructed_at=None)),
        judged=Count("pk", filter=Q(submitted_count__gt=0)),
        completed=Count("pk", filter=Q(exit=Exit.COMPLETED)),
        excluded=Count("pk", filter=~Q(excluded_reason="")),
        simulated=Count("pk", filter=Q(is_simulated=True)),
    )
    return PeopleFacts(
        **people,
        analysed=len(report["annotators"]) if report else 0,
        exits=_tallied(study.annotators.exclude(exit="").values_list("exit").annotate(n=Count("pk"))),
        platforms=_tallied(study.annotators.values_list("platform").annotate(n=Count("pk"))),
    )


def _times(study: Study) -> TimeFacts | None:
    answered = Assignment.objects.filter(comparison__study=study, state=AssignmentState.SUBMITTED)
    found = answered.aggregate(
        median=Percentile(SECONDS, share=0.5), low=Percentile(SECONDS, share=0.05), high=Percentile(SECONDS, share=0.95)
    )
    return None if found["median"] is None else TimeFacts(**found)
