"""The life of a study: validated, launched, paused, resumed, closed. Every change is one transaction and one event."""

from collections import defaultdict
from datetime import datetime

from django.db import connection, transaction

from annotation.allocation import plan_slots
from annotation.answers import AnswerRules, strength
from annotation.checks import main_in_full_part
from annotation.criteria import taken_keys
from annotation.errors import DuologueError
from annotation.models import Assignment, Matchup, Slot, Study
from annotation.services.actors import Actor
from annotation.services.comparisons import (
    Unusable,
    attach_current,
    exclude_comparison,
    find_unusable,
    include_comparison,
    prepare_comparisons,
    release_comparison,
)
from annotation.services.freezing import frozen_sha256
from annotation.services.sheets import checks_of
from annotation.services.step_problems import step_problems
from annotation.services.trail import record
from annotation.states import AssignmentState, ComparisonKind, StudyState

__all__ = [
    "LaunchRefused",
    "Unusable",
    "WrongState",
    "answer_rules",
    "capacity_warnings",
    "close",
    "exclude_comparison",
    "find_unusable",
    "include_comparison",
    "is_unchanged",
    "launch",
    "pause",
    "prepare_comparisons",
    "release_comparison",
    "resume",
    "validate_study",
]


class WrongState(DuologueError):
    """The study has moved on since the page was drawn."""


class LaunchRefused(DuologueError):
    """The study cannot be launched yet; `reasons` are sentences."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


def answer_rules(study: Study) -> AnswerRules:
    return AnswerRules(study.scale, study.offers_both_bad, study.reason_from_strength)


def validate_study(study: Study) -> list[str]:
    """Return, in sentences, what stands in the way of a launch; empty when nothing does."""
    checks = (_missing_texts, _bad_numbers, _bad_criteria, _bad_matchups, step_problems, _bad_comparisons)
    return [sentence for check in checks for sentence in check(study)]


def _missing_texts(study: Study) -> list[str]:
    needed = {"a title that annotators see": study.title, "a consent text": study.consent_text}
    needed["a consent version"] = study.consent_version
    return [f"Give the study {what}." for what, text in needed.items() if not text.strip()]


def _bad_numbers(study: Study) -> list[str]:
    problems = []
    if study.judgements_per_comparison < 1:
        problems.append("Ask for at least one judgement per comparison (k).")
    if study.quota_per_annotator < 1:
        problems.append("Let each annotator judge at least one comparison (quota per annotator).")
    if study.lease_minutes < 1:
        problems.append("Keep a comparison for its annotator for at least one minute (lease).")
    top = max(strength(value) for value in AnswerRules(study.scale).values())
    if study.reason_from_strength is not None and study.reason_from_strength > top:
        problems.append(f"Reasons are asked from strength {study.reason_from_strength} on; this scale ends at {top}.")
    return problems


def _bad_criteria(study: Study) -> list[str]:
    criteria = list(study.criteria.all())
    if not criteria:
        return ["Add at least one criterion."]
    lacking = [
        f"Give the criterion {criterion.key} a name, a question and a definition."
        for criterion in criteria
        if not (criterion.name.strip() and criterion.question.strip() and criterion.definition.strip())
    ]
    taken = taken_keys([criterion.key for criterion in criteria])
    return lacking + [f"Call the criterion {key} otherwise: the rating page uses that key itself." for key in taken]


def _bad_matchups(study: Study) -> list[str]:
    matchups = list(study.matchups.select_related("baseline", "treatment"))
    if not matchups:
        return ["Add at least one matchup of two agents."]
    problems = [f"The matchup of {m.baseline} with itself compares nothing." for m in matchups if _is_alone(m)]
    pairs = {(m.baseline_id, m.treatment_id) for m in matchups}
    turned = [m for m in matchups if not _is_alone(m) and (m.treatment_id, m.baseline_id) in pairs]
    return problems + [f"{m} is there the other way round, too: keep one." for m in turned[1:]]


def _is_alone(matchup: Matchup) -> bool:
    return matchup.baseline_id == matchup.treatment_id


def _bad_comparisons(study: Study) -> list[str]:
    shown = study.comparisons.filter(excluded_at=None, kind=ComparisonKind.MAIN).count()
    if not shown:
        return ["Choose a collection with dialogues, then prepare the comparisons: there is none to judge."]
    unusable = find_unusable(study)
    if not unusable:
        return []
    first = f"{unusable[0].comparison.dialogue}: {unusable[0].reason}"
    return [
        f"{len(unusable)} of {shown} comparisons lack two usable responses. Generate or regenerate them, release them "
        f"or exclude them with a reason. The first: {first}"
    ]


def capacity_warnings(study: Study) -> list[str]:
    """Return what will keep the study from ever being complete, though it may be launched."""
    k, places = study.judgements_per_comparison, study.annotators_limit
    comparisons = study.comparisons.filter(excluded_at=None, kind=ComparisonKind.MAIN).count()
    if places is None:
        return []
    warnings = []
    if places < k:
        warnings.append(f"{k} different people must judge each comparison, but there are only {places} places.")
    each = main_in_full_part(checks_of(study), study.quota_per_annotator)
    if places * each < comparisons * k:
        special = study.quota_per_annotator - each
        warnings.append(
            f"{comparisons} comparisons need {comparisons * k} judgements; {places} annotators with a quota of "
            f"{study.quota_per_annotator} give {places * each}"
            + (f", for {special} of each quota are gold or repeated comparisons." if special else " at most.")
        )
    return warnings


def launch(study: Study, *, actor: Actor, now: datetime) -> Study:
    """Freeze the study and open its slots: k for each comparison, sides balanced.

    Raises: LaunchRefused with all reasons; WrongState when it is no draft any more.
    """
    with transaction.atomic():
        _move(study, {StudyState.DRAFT}, StudyState.RUNNING, launched_at=now)
        attach_current(study)
        if problems := validate_study(study):
            raise LaunchRefused(problems)
        slots = _make_slots(study)
        study.frozen_sha256 = frozen_sha256(study)
        study.save(update_fields=["frozen_sha256"])
        record(study, "launch", actor=actor, slots=slots, sha256=study.frozen_sha256)
    return study


def _make_slots(study: Study) -> int:
    by_matchup: dict[int, list[int]] = defaultdict(list)
    dialogues: dict[int, int] = {}
    judged = study.comparisons.filter(excluded_at=None, kind=ComparisonKind.MAIN).order_by("matchup_id")
    for pk, matchup, dialogue in judged.values_list("pk", "matchup_id", "dialogue_id"):
        by_matchup[matchup].append(pk)
        dialogues[pk] = dialogue
    planned = plan_slots(by_matchup.values(), k=study.judgements_per_comparison, seed=study.seed)
    slots = [
        Slot(
            study=study,
            comparison_id=plan.comparison,
            dialogue_id=dialogues[plan.comparison],
            ordinal=plan.ordinal,
            treatment_side=plan.treatment_side,
            rank=plan.rank,
        )
        for plan in planned
    ]
    Slot.objects.bulk_create(slots, batch_size=2000)
    with connection.cursor() as cursor:
        # Thousands of new rows: without fresh figures the first claims would be planned for an empty table.
        cursor.execute("ANALYZE annotation_slot")
    return len(slots)


def pause(study: Study, *, actor: Actor) -> Study:
    """Hand out nothing new; what people hold they may still answer."""
    return _change(study, {StudyState.RUNNING}, StudyState.PAUSED, verb="pause", actor=actor)


def resume(study: Study, *, actor: Actor) -> Study:
    return _change(study, {StudyState.PAUSED}, StudyState.RUNNING, verb="resume", actor=actor)


def close(study: Study, *, actor: Actor, now: datetime) -> Study:
    """End the study for good. Comparisons in people's hands expire: their answers are thanked and kept as surplus."""
    with transaction.atomic():
        _move(study, {StudyState.RUNNING, StudyState.PAUSED}, StudyState.CLOSED, closed_at=now)
        Slot.objects.filter(study=study, is_open=True).update(is_open=False)
        held = Assignment.objects.filter(annotator__study=study, state=AssignmentState.CLAIMED)
        record(study, "close", actor=actor, held=held.update(state=AssignmentState.EXPIRED))
    return study


def is_unchanged(study: Study) -> bool:
    """Say whether annotators still see exactly what was frozen at launch, exclusions aside."""
    return study.frozen_sha256 == frozen_sha256(study)


def _change(study: Study, allowed: set[StudyState], to: StudyState, *, verb: str, actor: Actor) -> Study:
    with transaction.atomic():
        _move(study, allowed, to)
        record(study, verb, actor=actor)
    return study


def _move(study: Study, allowed: set[StudyState], to: StudyState, **also: datetime) -> None:
    if not Study.objects.filter(pk=study.pk, state__in=allowed).update(state=to, **also):
        study.refresh_from_db(fields=["state"])
        raise WrongState(f"This study is {study.state} and cannot become {to}. Reload the page.")
    study.refresh_from_db()
